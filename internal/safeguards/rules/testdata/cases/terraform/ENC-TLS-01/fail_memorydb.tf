resource "aws_memorydb_cluster" "cache" {
  acl_name    = "app"
  tls_enabled = false
}
