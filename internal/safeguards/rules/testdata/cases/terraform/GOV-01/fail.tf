resource "aws_elasticache_replication_group" "cache" {
  tags = { owner = "team-a" }
}
