resource "aws_elasticache_replication_group" "cache" {
  node_type = "cache.m3.large"
}
