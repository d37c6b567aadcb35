resource "aws_elasticache_replication_group" "cache" {
  auth_token = "q7ZpW2mXv9Rt4KdL@8YbN3sHfGj6TnUe"
}
