resource "aws_elasticache_serverless_cache" "cache" {
  engine                = "valkey"
  serverless_cache_name = "c"
}
