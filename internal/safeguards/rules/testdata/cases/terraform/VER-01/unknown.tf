variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  engine = var.setting
}
