module "shared" {
  source = "git::https://example.org/shared.git"
}

resource "aws_elasticache_replication_group" "cache" {
  user_group_ids = module.shared.value
}
