resource "aws_elasticache_replication_group" "cache" {
  parameter_group_name = "own-group"
}
