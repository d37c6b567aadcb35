variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  multi_az_enabled = var.setting
}
