variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  node_type = var.setting
}
