resource "aws_elasticache_replication_group" "cache" {
  at_rest_encryption_enabled = true
}
