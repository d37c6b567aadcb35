resource "aws_elasticache_replication_group" "cache" {
  engine         = "valkey"
  engine_version = "7.2"
}
