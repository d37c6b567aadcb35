resource "aws_elasticache_replication_group" "cache" {
  user_group_ids = ["app"]
}
