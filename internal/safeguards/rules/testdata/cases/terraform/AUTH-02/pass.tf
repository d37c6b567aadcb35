resource "aws_elasticache_replication_group" "cache" {
  auth_token = "q7ZpW2mXv9Rt4KdLc8YbN3sHfGj6TnUe"
}
