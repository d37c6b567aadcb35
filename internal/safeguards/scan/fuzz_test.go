package scan_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/cloudformation"
	"github.com/lethe-cache/lethe/internal/safeguards/kubernetes"
	"github.com/lethe-cache/lethe/internal/safeguards/terraform"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

func FuzzTerraform(f *testing.F) {
	f.Add([]byte(group + "variable \"x\" {}\nlocals {\n  a = [for i in [1] : i]\n  b = local.a\n}\n"))
	f.Add([]byte("resource \"aws_security_group\" \"a\" {\n  for_each = toset([\"x\"])\n  dynamic \"ingress\" {\n    for_each = [1]\n    content {\n      from_port = ingress.value\n    }\n  }\n}\n"))
	f.Add([]byte("module \"m\" {\n  source = \"./\"\n}\n"))
	f.Fuzz(func(_ *testing.T, src []byte) {
		terraform.ReadDir("d", func(dir string) (terraform.Dir, error) {
			if dir != "d" {
				return nil, errors.New("no such directory")
			}
			return terraform.Dir{"a.tf": src}, nil
		})
	})
}

func FuzzTerraformJSON(f *testing.F) {
	f.Add([]byte(`{"variable": {"on": {"default": true}}, "resource": {"aws_elasticache_replication_group": {"a": {"transit_encryption_enabled": "${var.on}"}}}}`))
	f.Add([]byte(`{"resource": [{"aws_security_group": [{"a": {"for_each": "${toset([\"x\"])}", "dynamic": {"ingress": {"for_each": [1], "content": {"from_port": "${ingress.value}"}}}}}]}]}`))
	f.Add([]byte(`{"//": "x", "locals": {"a": [null, 1.5, {"b": "%{ for i in [1] }${i}%{ endfor }"}]}, "module": {"m": {"source": "./"}}}`))
	f.Fuzz(func(_ *testing.T, src []byte) {
		terraform.ReadDir("d", func(dir string) (terraform.Dir, error) {
			if dir != "d" {
				return nil, errors.New("no such directory")
			}
			return terraform.Dir{"a.tf.json": src}, nil
		})
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"format_version":"1.2","resource_changes":[{"address":"aws_security_group.a[0]","mode":"managed","type":"aws_security_group","change":{"actions":["create"],"after":{"ingress":[{}]},"after_unknown":{"ingress":[true]}}}],"configuration":{"root_module":{"resources":[{"address":"aws_security_group.a","type":"aws_security_group","expressions":{"ingress":{"references":["var.x"]}}}]}}}`))
	f.Fuzz(func(_ *testing.T, src []byte) { terraform.ReadPlan("plan.json", bytes.NewReader(src)) })
}

func FuzzDocuments(f *testing.F) {
	f.Add([]byte("Resources:\n  A:\n    Type: AWS::ElastiCache::ReplicationGroup\n    Properties:\n      Port: !If [a, !Ref B, !Sub '${C}']\n      Tags: !Ref AWS::NoValue\n"))
	f.Add([]byte("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {image: redis, args: [\"--port\", \"$(X)\"], env: [{name: X, value: $(X)}]}\n"))
	f.Add([]byte("services:\n  a: {image: redis, command: 'sh -c \"redis-server --port ${X:-1}\"', ports: [\"1:2\"], environment: [\"X=$X\"]}\n"))
	f.Fuzz(func(_ *testing.T, src []byte) {
		docs, _ := yamltree.Parse(src)
		var manifests []kubernetes.Manifest
		for _, d := range docs {
			cloudformation.Read("a.yaml", d)
			kubernetes.ReadCompose("a.yaml", d, func(string) ([]byte, error) { return nil, errors.New("no such file") })
			manifests = append(manifests, kubernetes.Manifest{File: "a.yaml", Doc: d})
		}
		kubernetes.Read(manifests)
	})
}
