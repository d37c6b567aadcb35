resource "aws_elasticache_replication_group" "cache" {
  node_type = "cache.r7g.large"
}
