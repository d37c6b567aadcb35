resource "aws_memorydb_cluster" "cache" {
  acl_name  = "app"
  node_type = "db.r7g.large"
}
