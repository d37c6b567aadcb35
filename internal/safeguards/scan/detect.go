package scan

import (
	"bytes"
	"errors"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/cloudformation"
	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/kubernetes"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/terraform"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

type manifest = kubernetes.Manifest

// file reads a file if it is of a kind that can hold a cache. named says that the user asked for this very file.
func (t *tree) file(name string, named bool) {
	base := strings.ToLower(path.Base(name))
	switch ext := path.Ext(base); {
	case isConfig(base):
		t.settings(name, base)
	case ext == ".json":
		if t.isPlan(name) {
			t.plan(name)
			return
		}
		t.documents(name, named)
	case ext == ".yaml" || ext == ".yml" || ext == ".template" || ext == ".cfn":
		t.documents(name, named)
	case ext == ".acl":
		t.acl(name)
	case named:
		t.guess(name)
	}
}

// isConfig knows the names that packages and images give.
func isConfig(base string) bool {
	if !strings.HasSuffix(base, ".conf") && !strings.HasSuffix(base, ".conf.tpl") && !strings.HasSuffix(base, ".conf.j2") {
		return false
	}
	for _, w := range []string{"redis", "valkey", "keydb", "sentinel"} {
		if strings.Contains(base, w) {
			return true
		}
	}
	return false
}

// open returns a file with its permissions, or makes a note.
func (t *tree) open(name string) (config.File, bool) {
	src, err := t.content(name)
	if err != nil {
		t.s.note(model.Source{File: t.called(name)}, "it is not read: "+err.Error(), true)
		return config.File{}, false
	}
	f := config.File{Name: t.called(name), Data: src, Mode: -1, Read: t.read}
	if info, err := t.root.Stat(filepath.FromSlash(name)); err == nil {
		f.Mode = int64(info.Mode().Perm())
	}
	return f, true
}

func (t *tree) settings(name, base string) {
	f, ok := t.open(name)
	if !ok {
		return
	}
	read := config.Read
	if strings.Contains(base, "sentinel") || bytes.HasPrefix(f.Data, []byte("sentinel monitor ")) || bytes.Contains(f.Data, []byte("\nsentinel monitor ")) {
		read = config.ReadSentinel
	}
	r, problems := read(f)
	t.s.found(r)
	t.problems(problems)
}

func (t *tree) problems(list []config.Problem) {
	for _, p := range list {
		t.s.note(p.Source, p.Text, true)
	}
}

func (t *tree) acl(name string) {
	f, ok := t.open(name)
	if !ok {
		return
	}
	r, problems := config.ReadACL(f)
	t.s.found(r)
	t.problems(problems)
}

// guess tells a file that was named by its content.
func (t *tree) guess(name string) {
	f, ok := t.open(name)
	if !ok {
		return
	}
	switch text := "\n" + string(f.Data); {
	case strings.Contains(text, "\nuser ") && !strings.Contains(text, "\nport "):
		t.acl(name)
	case hasDirective(text):
		t.settings(name, path.Base(name))
	default:
		t.s.note(model.Source{File: f.Name}, "it is of no kind that can be scanned", true)
	}
}

// hasDirective knows lines that a configuration of Redis, Valkey or a sentinel is likely to have. The text begins with a line's
// end.
func hasDirective(text string) bool {
	for _, name := range []string{"port", "tls-port", "bind", "requirepass", "aclfile", "masterauth", "replicaof", "maxmemory", "appendonly", "protected-mode",
		"tls-cert-file", "sentinel monitor"} {
		if strings.Contains(text, "\n"+name+" ") {
			return true
		}
	}
	return false
}

// isPlan looks at the beginning of a file only: a plan can be large.
func (t *tree) isPlan(name string) bool {
	f, err := t.root.Open(filepath.FromSlash(name))
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false
	}
	head = head[:n]
	return bytes.Contains(head, []byte(`"format_version"`)) &&
		(bytes.Contains(head, []byte(`"terraform_version"`)) || bytes.Contains(head, []byte(`"planned_values"`)) || bytes.Contains(head, []byte(`"resource_changes"`)))
}

func (t *tree) plan(name string) {
	f, err := t.root.Open(filepath.FromSlash(name))
	if err != nil {
		t.s.note(model.Source{File: t.called(name)}, "it is not read: "+cause(err), true)
		return
	}
	defer f.Close()
	resources, problems := terraform.ReadPlan(t.called(name), f)
	for _, r := range resources {
		t.s.found(r)
	}
	for _, p := range problems {
		t.s.note(p.Source, p.Text, true)
	}
}

// mentions says whether a text has to do with caches: one that cannot be parsed matters only then.
func mentions(src []byte) bool {
	lower := bytes.ToLower(src)
	for _, w := range []string{"redis", "valkey", "elasticache", "memorydb", "keydb", "dragonfly"} {
		if bytes.Contains(lower, []byte(w)) {
			return true
		}
	}
	return false
}

// documents reads YAML and JSON: templates and compose files at once, manifests together at the end.
func (t *tree) documents(name string, named bool) {
	at := model.Source{File: t.called(name)}
	src, err := t.content(name)
	if err != nil {
		t.s.note(at, "it is not read: "+err.Error(), named || path.Ext(name) != ".json")
		return
	}
	if t.lethe(name, src) {
		return
	}
	if !named && !mentions(src) && !bytes.Contains(src, []byte("StorageClass")) && !bytes.Contains(src, []byte("kind: Service")) {
		return
	}
	docs, err := yamltree.Parse(src)
	if err != nil {
		if bytes.Contains(src, []byte("{{")) {
			t.s.note(at, "it is a template of Helm or Jinja: scan what it renders to", named)
		} else {
			t.s.note(at, "it is not read: "+err.Error(), true)
		}
	}
	used := false
	for _, d := range docs {
		used = t.document(name, d) || used
	}
	if named && !used && err == nil {
		t.s.note(at, "it is of no kind that can be scanned", true)
	}
}

func (t *tree) document(name string, d *yamltree.Node) bool {
	switch {
	case kubernetes.Is(d):
		t.s.docs = append(t.s.docs, manifest{File: t.called(name), Doc: d})
	case cloudformation.Is(d):
		resources, problems := cloudformation.Read(t.called(name), d)
		for _, r := range resources {
			t.s.found(r)
		}
		for _, p := range problems {
			t.s.note(p.Source, p.Text, true)
		}
	case kubernetes.IsCompose(d):
		resources, problems := kubernetes.ReadCompose(t.called(name), d, t.read)
		for _, r := range resources {
			t.s.found(r)
		}
		t.problems(problems)
	default:
		return false
	}
	return true
}

// manifests reads the Kubernetes objects of all paths together.
func (s *scanner) manifests() {
	resources, problems := kubernetes.Read(s.docs)
	for _, r := range resources {
		s.found(r)
	}
	for _, p := range problems {
		s.note(p.Source, p.Text, true)
	}
}
