variable "setting" {}

resource "aws_elasticache_user" "app" {
  user_id       = "app"
  user_name     = "app"
  engine        = "valkey"
  access_string = var.setting

  authentication_mode {
    type = "iam"
  }
}
