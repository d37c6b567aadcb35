resource "aws_elasticache_replication_group" "cache" {
  transit_encryption_enabled = true
}
