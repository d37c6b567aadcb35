variable "setting" {}

resource "aws_elasticache_replication_group" "cache" {
  engine         = "redis"
  engine_version = var.setting
}
