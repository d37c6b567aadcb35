resource "aws_elasticache_replication_group" "cache" {
  kms_key_id = "arn:aws:kms:us-east-1:111122223333:key/1"
}
