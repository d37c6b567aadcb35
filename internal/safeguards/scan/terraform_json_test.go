package scan_test

import (
	"encoding/json"
	"testing"
)

// The same code in both syntaxes is the same resources, fact by fact.
func TestTerraformInJSONIsTerraform(t *testing.T) {
	t.Parallel()
	native := `
variable "required" {
  default = true
}
locals {
  mode  = var.required ? "required" : "preferred"
  ports = [6379]
}
resource "aws_security_group" "cache" {
  dynamic "ingress" {
    for_each = local.ports
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/24"]
    }
  }
}
resource "aws_elasticache_replication_group" "cache" {
  for_each                   = toset(["a", "b"])
  replication_group_id       = "cache-${each.key}"
  engine                     = "valkey"
  engine_version             = "8.0"
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  transit_encryption_mode    = local.mode
  auth_token                 = "short"
  security_group_ids         = [aws_security_group.cache.id]
  snapshot_retention_limit   = 20
  tags                       = { owner = "team", data-class = "phi" }
  log_delivery_configuration {
    destination      = "/caches"
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}
`
	inJSON := `{
  "//": "the same",
  "variable": {"required": {"default": true}},
  "locals": {"mode": "${var.required ? \"required\" : \"preferred\"}", "ports": [6379]},
  "resource": {
    "aws_security_group": {"cache": {"dynamic": {"ingress": {"for_each": "${local.ports}",
      "content": {"from_port": "${ingress.value}", "to_port": "${ingress.value}", "protocol": "tcp", "cidr_blocks": ["10.0.0.0/24"]}}}}},
    "aws_elasticache_replication_group": [{"cache": {
      "for_each": "${toset([\"a\", \"b\"])}",
      "replication_group_id": "cache-${each.key}",
      "engine": "valkey", "engine_version": "8.0",
      "at_rest_encryption_enabled": true,
      "transit_encryption_enabled": true,
      "transit_encryption_mode": "${local.mode}",
      "auth_token": "short",
      "security_group_ids": ["${aws_security_group.cache.id}"],
      "snapshot_retention_limit": 20,
      "tags": {"owner": "team", "data-class": "phi"},
      "log_delivery_configuration": [{"destination": "/caches", "destination_type": "cloudwatch-logs", "log_format": "json", "log_type": "slow-log"}]
    }}]
  }
}`
	facts := func(name, text string) map[string]string {
		r := run(tree(t, map[string]string{name: text}))
		if !r.Complete() {
			t.Fatalf("%s: %v", name, r.Notes)
		}
		out := map[string]string{}
		for _, x := range r.Resources {
			for _, fact := range x.Names() {
				reading := x.Reading(fact)
				value, err := json.Marshal([]any{reading.State, reading.Value, reading.Why})
				if err != nil {
					t.Fatal(err)
				}
				out[x.ID.Name[len(x.ID.Name)-len(`group.cache["a"]`):]+" "+fact] = string(value)
			}
		}
		return out
	}
	want, have := facts("main.tf", native), facts("main.tf.json", inJSON)
	if len(want) < 40 || len(want) != len(have) {
		t.Errorf("%d facts and %d", len(want), len(have))
	}
	for name, value := range want {
		if have[name] != value {
			t.Errorf("%s: %s in JSON, %s in HCL", name, have[name], value)
		}
	}
	at := run(tree(t, map[string]string{"main.tf.json": inJSON})).Findings
	for _, f := range at {
		if f.Rule == "AUTH-02" && f.Source.Line != 15 {
			t.Errorf("the token is at line %d, not 15", f.Source.Line)
		}
	}
}
