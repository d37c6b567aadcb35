module "shared" {
  source = "git::https://example.org/shared.git"
}

resource "aws_elasticache_replication_group" "cache" {

  dynamic "log_delivery_configuration" {
    for_each = module.shared.value
    content {}
  }
}
