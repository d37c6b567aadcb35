resource "aws_elasticache_user" "app" {
  user_id       = "admin"
  user_name     = "admin"
  engine        = "valkey"
  access_string = "on ~* &* +@all"

  authentication_mode {
    type = "iam"
  }
}
