variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  snapshot_retention_limit = var.setting
}
