resource "aws_elasticache_user" "app" {
  user_id       = "app"
  user_name     = "app"
  engine        = "valkey"
  access_string = "on ~app:* resetchannels -@all +@read"

  authentication_mode {
    type = "iam"
  }
}
