resource "aws_memorydb_user" "app" {
  user_name     = "app"
  access_string = "on ~app:* +get"

  authentication_mode {
    type = "iam"
  }
}
