resource "aws_elasticache_replication_group" "cache" {
  snapshot_retention_limit = 35
}
