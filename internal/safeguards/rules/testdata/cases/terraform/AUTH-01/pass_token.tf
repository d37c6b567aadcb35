variable "token" {
  sensitive = true
}

resource "aws_elasticache_replication_group" "cache" {
  auth_token = var.token
}
