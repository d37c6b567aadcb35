package scan

import (
	"bytes"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/lethe-cache/lethe/internal/safeguards/lethe"
	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// lethe reads a document if it is settings or a policy of Lethe itself.
func (t *tree) lethe(name string, src []byte) bool {
	base := path.Base(name)
	own := base == "lethe.yaml" || base == "lethe.yml"
	if !own && !mayBeLethe(src) {
		return false
	}
	docs, err := yamltree.Parse(src)
	if !own && (err != nil || len(docs) != 1) {
		return false
	}
	var r *model.Resource
	var problems []lethe.Problem
	switch {
	case own || lethe.IsSettings(docs[0]):
		r, problems = lethe.ReadSettings(t.called(name), src, t.read)
	case lethe.IsPolicy(docs[0]):
		r, problems = lethe.ReadPolicy(t.called(name), src)
	default:
		return false
	}
	t.lethes(r, problems)
	return true
}

// mayBeLethe looks for words without which a document is neither settings nor a policy, before it is parsed.
func mayBeLethe(src []byte) bool {
	if bytes.Contains(src, []byte("keys:")) || bytes.Contains(src, []byte("unmatched:")) {
		return true
	}
	for _, field := range lethe.OwnFields() {
		if bytes.Contains(src, []byte(field+":")) {
			return true
		}
	}
	return false
}

// data reads a data directory of Lethe. Nothing else in it is looked at.
func (t *tree) data(name string) {
	sub, err := fs.Sub(t.root.FS(), name)
	if err != nil {
		t.s.note(model.Source{File: t.called(name)}, "it cannot be read: "+cause(err), true)
		return
	}
	dir := filepath.Join(t.root.Name(), filepath.FromSlash(name))
	r, problems := lethe.ReadData(lethe.Data{Name: t.called(name), FS: sub, Disk: func() (*bool, string) { return live.DiskEncrypted(dir) }})
	t.lethes(r, problems)
}

func (t *tree) lethes(r *model.Resource, problems []lethe.Problem) {
	t.s.found(r)
	for _, p := range problems {
		t.s.note(p.Source, p.Text, true)
	}
}
