resource "aws_elasticache_replication_group" "cache" {
  engine               = "valkey"
  parameter_group_name = aws_elasticache_parameter_group.own.name
}

resource "aws_elasticache_parameter_group" "own" {
  family = "valkey8"

  parameter {
    name  = "timeout"
    value = "300"
  }

  parameter {
    name  = "tcp-keepalive"
    value = "60"
  }
}
