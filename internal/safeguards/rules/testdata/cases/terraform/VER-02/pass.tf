resource "aws_elasticache_replication_group" "cache" {
  engine         = "redis"
  engine_version = "7.1"
}
