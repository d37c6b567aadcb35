resource "aws_elasticache_user" "app" {
  user_id       = "default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}
