variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  auto_minor_version_upgrade = var.setting
}
