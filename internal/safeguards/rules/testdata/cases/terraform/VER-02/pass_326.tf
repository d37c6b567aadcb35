resource "aws_elasticache_replication_group" "cache" {
  engine         = "redis"
  engine_version = "3.2.6"
}
