resource "aws_elasticache_cluster" "cache" {
  engine    = "memcached"
  node_type = "cache.t4g.micro"
}
