module "shared" {
  source = "git::https://example.org/shared.git"
}

resource "aws_elasticache_replication_group" "cache" {
  auth_token = module.shared.value
}
