resource "aws_elasticache_replication_group" "cache" {
  subnet_group_name = "private"
}
