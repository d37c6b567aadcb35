resource "aws_elasticache_replication_group" "cache" {
  automatic_failover_enabled = true
  num_cache_clusters         = 1
}
