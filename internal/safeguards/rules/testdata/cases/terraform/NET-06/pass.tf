resource "aws_elasticache_replication_group" "cache" {
  port = 6390
}
