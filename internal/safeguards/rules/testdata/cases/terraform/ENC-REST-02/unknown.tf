variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  kms_key_id = var.setting
}
