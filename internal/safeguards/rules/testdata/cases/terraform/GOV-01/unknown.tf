module "shared" {
  source = "git::https://example.org/shared.git"
}

resource "aws_elasticache_replication_group" "cache" {
  tags = module.shared.value
}
