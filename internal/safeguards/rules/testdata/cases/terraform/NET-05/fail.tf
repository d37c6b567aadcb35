resource "aws_elasticache_replication_group" "cache" {
  engine             = "valkey"
  port               = 6379
  security_group_ids = [aws_security_group.redis.id]
}

resource "aws_security_group" "redis" {

  ingress {
    protocol    = "tcp"
    from_port   = 6379
    to_port     = 6379
    cidr_blocks = ["10.0.0.0/8"]
  }
}
