resource "aws_elasticache_replication_group" "cache" {
  tags = { Owner = "team-a", DataClass = "phi" }
}
