variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  transit_encryption_enabled = var.setting
}
