resource "aws_elasticache_replication_group" "cache" {

  log_delivery_configuration {
    destination      = "cache"
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}
