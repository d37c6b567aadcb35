resource "aws_elasticache_replication_group" "cache" {
  engine         = "valkey"
  engine_version = "8.0"
}
