resource "aws_elasticache_serverless_cache" "cache" {
  engine = "valkey"
}
