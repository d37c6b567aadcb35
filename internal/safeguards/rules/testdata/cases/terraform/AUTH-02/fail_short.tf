resource "aws_elasticache_replication_group" "cache" {
  auth_token = "Zk4T9q"
}
