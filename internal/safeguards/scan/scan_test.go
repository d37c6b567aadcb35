package scan_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// tree writes files and returns their directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(paths ...string) *scan.Result {
	return scan.Run(context.Background(), scan.Options{Paths: paths, Rules: rules.Catalogue(), Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
}

const group = "resource \"aws_elasticache_replication_group\" \"a\" {\n  transit_encryption_enabled = true\n}\n"

// One directory, all kinds of files.
func TestFindsAllKinds(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"infra/main.tf":             group,
		"plan.json":                 `{"format_version":"1.2","terraform_version":"1.9.8","resource_changes":[{"address":"aws_elasticache_replication_group.a","mode":"managed","type":"aws_elasticache_replication_group","name":"a","change":{"actions":["create"],"after":{}}}]}`,
		"stack/template.yaml":       "Resources:\n  A:\n    Type: AWS::ElastiCache::ReplicationGroup\n",
		"stack/template.json":       "{\n\t\"Resources\": {\"A\": {\"Type\": \"AWS::ElastiCache::ReplicationGroup\"}}\n}",
		"k8s/a.yaml":                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: c, image: redis:7.2}\n",
		"docker-compose.yml":        "services:\n  c:\n    image: redis:7.2\n",
		"etc/redis.conf":            "port 0\n",
		"etc/valkey-1.conf":         "port 0\n",
		"etc/sentinel.conf":         "port 26379\n",
		"etc/users.acl":             "user default off\n",
		"lethe/lethe.yaml":          "listen: 127.0.0.1:6380\npolicy: own-policy.yaml\n",
		"lethe/own-policy.yaml":     "unmatched: phi\n",
		"lethe/staging.yml":         "admin_listen: 127.0.0.1:9381\n",
		"lethe/other.yaml":          "audit: {level: high}\nname: x\n",
		"lethe/data/wrapping.key":   "x",
		"lethe/data/audit-sign.key": "x",
		"lethe/data/users.yaml":     "version: 1\nusers: []\n",
		"lethe/data/redis.conf":     "port 6379\n",
		"readme.md":                 "redis",
		"other.yaml":                "redis: {a: b}",
		"node_modules/x/redis.conf": "port 0\n",
	})
	r := run(dir)
	have := map[model.Target]int{}
	for _, x := range r.Resources {
		have[x.ID.Target]++
	}
	want := map[model.Target]int{model.Terraform: 1, model.Plan: 1, model.CloudFormation: 2, model.Kubernetes: 1, model.Compose: 1, model.Config: 2, model.Sentinel: 1, model.ACL: 1, model.Lethe: 4}
	for target, n := range want {
		if have[target] != n {
			t.Errorf("%d resources of %s, want %d", have[target], target, n)
		}
	}
	if !r.Complete() {
		t.Errorf("notes: %v", r.Notes)
	}
}

// A file that was named is told by what is in it, whatever it is called.
func TestNamedFilesAreToldByTheirContent(t *testing.T) {
	t.Parallel()
	f := func(name, text string, want model.Target) {
		t.Helper()
		r := run(filepath.Join(tree(t, map[string]string{name: text}), name))
		if len(r.Resources) != 1 || r.Resources[0].ID.Target != want || !r.Complete() {
			t.Errorf("%s with %q is %v, notes %v; want one of %s", name, text, r.Resources, r.Notes, want)
		}
	}
	f("cache.conf", "requirepass x\n", model.Config)
	f("server.cfg", "# ours\nmaxmemory 1gb\n", model.Config)
	f("watch.conf", "sentinel monitor m 10.0.0.1 6379 2\n", model.Sentinel)
	f("people", "user default off\n", model.ACL)
}

// What cannot be read is told, and the rest is scanned all the same.
func TestBadInputKeepsNothingElseFromBeingRead(t *testing.T) {
	t.Parallel()
	f := func(name, text, note string) {
		t.Helper()
		dir := tree(t, map[string]string{name: text, "good/main.tf": group})
		r := run(dir)
		if r.Complete() || !slices.ContainsFunc(r.Notes, func(n scan.Note) bool { return strings.Contains(n.Text, note) && n.Incomplete }) {
			t.Errorf("%s: notes are %v, want one with %q", name, r.Notes, note)
		}
		if !slices.ContainsFunc(r.Resources, func(x *model.Resource) bool {
			return strings.HasSuffix(x.ID.Name, "aws_elasticache_replication_group.a")
		}) {
			t.Errorf("%s: the good file was not read", name)
		}
	}
	f("a.tf", `resource "x" {`, "not valid HCL")
	f("a.tf", strings.Repeat("a = [", 1000), "nested deeper")
	f("a.tf.json", "{\"resource\": [", "not a JSON object")
	f("a.tf.json", "[]", "not a JSON object")
	f("a.tf.json", `{"resources": {}}`, "kind that Terraform does not have")
	f("a.tf.json", `{"resource": {"aws_elasticache_replication_group": {"b": "x"}}}`, "a block is not an object")
	f("a.tf.json", `{"resource": {"aws_elasticache_replication_group": {"b": {"engine": "${var."}}}}`, "not a template")
	f("a.tf", "module \"redis\" {\n source = \"terraform-aws-modules/elasticache/aws\"\n}", "not in the repository")
	f("a.tf", "module \"m\" {\n source = \"./gone\"\n}", "cannot be read")
	f("a.yaml", "redis: [", "not valid YAML")
	f("a.yaml", "redis: "+strings.Repeat("[", 500), "YAML")
	f("a.yaml", "redis: &a [x,x,x,x,x,x,x,x,x,x]\n"+bomb(), "nodes")
	f("plan.json", `{"format_version":"1.2","terraform_version":"1.9.8","resource_changes":[{`, "before it is complete")
	f("plan.json", `{"format_version":"1.2","terraform_version":"1.9.8","resource_changes":[{"change":7}]}`, "not expected")
	f("plan.json", `{"format_version":"9.0","terraform_version":"1.9.8"}`, "not supported")
	f("redis.conf", "include redis.conf\n", "includes itself")
	f("redis.conf", "include /etc/hostname\n", "outside of what is scanned")
	f("redis.conf", "include ../../etc/hostname\n", "outside of what is scanned")
	f("redis.conf", "port \"6379", "quote is not closed")
	f("users.acl", "something else", "does not begin with user")
	f("lethe.yaml", "data_dirs: /var/lib/lethe\n", "there is no such setting")
	f("staging.yaml", "data_dir: /var/lib/lethe\nlisten: here\n", "lethe serve refuses it: listen is not an address")
	f("policy.yaml", "unmatched: none\n", "lethe serve refuses it: ")
}

func bomb() string {
	var b strings.Builder
	for c := 'b'; c < 'k'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ",") + "]\n")
	}
	return b.String()
}

// A link that leads out of the tree is not followed, by the walk or by an include.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	secret := tree(t, map[string]string{"outside.conf": "timeout 7\n"})
	dir := tree(t, map[string]string{"redis.conf": "include link.conf\n"})
	if err := os.Symlink(filepath.Join(secret, "outside.conf"), filepath.Join(dir, "link.conf")); err != nil {
		t.Fatal(err)
	}
	r := run(dir)
	if v, ok := model.IdleTimeout.Of(r.Resources[0]).Get(); ok {
		t.Errorf("the link was followed: timeout is %d", v)
	}
	if r.Complete() {
		t.Error("the scan says that it is complete")
	}
}

func TestNamedFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.txt": "hello", "b.yaml": "a: b", "valkey": "bind 127.0.0.1\nport 0\n"})
	f := func(name, note string) {
		t.Helper()
		r := run(filepath.Join(dir, name))
		if r.Complete() || !strings.Contains(r.Notes[0].Text, note) {
			t.Errorf("%s: %v, want a note with %q", name, r.Notes, note)
		}
	}
	f("a.txt", "no kind")
	f("b.yaml", "no kind")
	f("gone.tf", "no such file")
	if r := run(filepath.Join(dir, "valkey")); len(r.Resources) != 1 || !r.Complete() {
		t.Errorf("a file of settings by another name: %v", r.Notes)
	}
}

// A plan is a stream: its size does not matter, what is in it does.
func TestLargePlan(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"format_version":"1.2","terraform_version":"1.9.8","resource_changes":[`)
	filler := `{"address":"aws_instance.x","mode":"managed","type":"aws_instance","name":"x","change":{"actions":["create"],"after":{"user_data":"` + strings.Repeat("x", 100_000) + `"}}},`
	for range 200 {
		b.WriteString(filler)
	}
	b.WriteString(`{"address":"aws_elasticache_replication_group.a","mode":"managed","type":"aws_elasticache_replication_group","name":"a","change":{"actions":["create"],"after":{}}},`)
	b.WriteString(`{"address":"aws_elasticache_replication_group.old","mode":"managed","type":"aws_elasticache_replication_group","name":"old","change":{"actions":["delete"],"after":null}}]}`)
	r := run(tree(t, map[string]string{"plan.json": b.String()}))
	if len(r.Resources) != 1 || !r.Complete() {
		t.Errorf("%d resources, notes %v; want the one that stays", len(r.Resources), r.Notes)
	}
}

type source struct {
	resources []*model.Resource
	err       error
}

func (s source) Name() string { return "account 1" }

func (s source) Resources(_ context.Context, found func(*model.Resource)) error {
	for _, r := range s.resources {
		found(r)
	}
	return s.err
}

// What runs is compared with the code that is scanned with it.
func TestDrift(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"main.tf": "resource \"aws_elasticache_replication_group\" \"a\" {\n  replication_group_id = \"sessions\"\n  transit_encryption_mode = \"required\"\n  port = 6390\n}\n"})
	running := model.NewResource(model.ID{Target: model.AWS, Kind: model.ReplicationGroup, Name: "arn:aws:elasticache:us-east-1:1:replicationgroup:sessions"}, model.Source{})
	model.TransitMode.Set(running, "preferred", model.Source{})
	model.Port.Set(running, 6390, model.Source{})
	stray := model.NewResource(model.ID{Target: model.AWS, Kind: model.ReplicationGroup, Name: "arn:aws:elasticache:us-east-1:1:replicationgroup:stray"}, model.Source{})
	model.Tags.Set(stray, map[string]string{}, model.Source{})
	r := scan.Run(context.Background(), scan.Options{Paths: []string{dir}, Sources: []scan.Source{source{[]*model.Resource{running, stray}, errors.New("a page was denied")}}, Rules: rules.Catalogue(), Now: time.Unix(0, 0)})
	want := map[string]model.Result{"GOV-03 sessions": model.Fail, "GOV-04 sessions": model.Pass, "GOV-04 stray": model.Fail}
	for _, f := range r.Findings {
		name := f.Rule + " " + f.Resource.Name[strings.LastIndexByte(f.Resource.Name, ':')+1:]
		if result, ok := want[name]; ok && f.Resource.Target == model.AWS {
			if f.Result != result {
				t.Errorf("%s is %s (%s), want %s", name, f.Result, f.Summary, result)
			}
			delete(want, name)
		}
	}
	if len(want) > 0 || r.Complete() {
		t.Errorf("missing %v; notes %v", want, r.Notes)
	}
}
