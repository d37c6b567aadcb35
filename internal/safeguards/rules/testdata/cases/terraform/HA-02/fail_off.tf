resource "aws_elasticache_replication_group" "cache" {
  num_cache_clusters = 3
}
