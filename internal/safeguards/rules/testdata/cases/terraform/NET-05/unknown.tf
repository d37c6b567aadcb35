resource "aws_elasticache_replication_group" "cache" {
  security_group_ids = ["sg-0123456789abcdef0"]
}
