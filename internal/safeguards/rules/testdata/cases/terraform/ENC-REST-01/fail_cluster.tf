resource "aws_elasticache_cluster" "cache" {
  engine    = "redis"
  node_type = "cache.r7g.large"
}
