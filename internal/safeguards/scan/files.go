package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/lethe"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/terraform"
)

// Limits of one scan.
const (
	maxFileBytes = 8 << 20 // of a file that is read whole; plans are streams and have limits of their own
	maxFiles     = 200_000
)

// tree is one directory that the user named, or the one of a file that was named. Everything is opened inside of it.
type tree struct {
	s    *scanner
	root *os.Root
	name string // as the user wrote it, "" for the working directory
}

// path scans one file or directory.
func (s *scanner) path(name string) {
	info, err := os.Stat(name)
	if err != nil {
		s.note(model.Source{File: filepath.ToSlash(name)}, "it cannot be read: "+cause(err), true)
		return
	}
	dir, file := name, ""
	if !info.IsDir() {
		dir, file = filepath.Split(name)
		dir = filepath.Clean(dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		s.note(model.Source{File: filepath.ToSlash(name)}, "it cannot be read: "+cause(err), true)
		return
	}
	defer root.Close()
	t := &tree{s: s, root: root, name: filepath.ToSlash(filepath.Clean(dir))}
	if t.name == "." {
		t.name = ""
	}
	if file != "" {
		t.named(file)
		return
	}
	t.walk()
}

// cause is the reason of a file error without its path, which the note has already.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// called is how reports call a file of the tree.
func (t *tree) called(name string) string { return path.Join(t.name, name) }

// inside is the reverse, for names that readers ask for.
func (t *tree) inside(called string) (string, error) {
	name := called
	if t.name != "" {
		var found bool
		if name, found = strings.CutPrefix(called, t.name+"/"); !found {
			if called == t.name {
				return ".", nil
			}
			return "", errors.New("it is outside of what is scanned")
		}
	}
	if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return "", errors.New("it is outside of what is scanned")
	}
	return name, nil
}

// read returns a whole file, by the name that reports use.
func (t *tree) read(called string) ([]byte, error) {
	name, err := t.inside(called)
	if err != nil {
		return nil, err
	}
	return t.content(name)
}

func (t *tree) content(name string) ([]byte, error) {
	f, err := t.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, errors.New(cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	src, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	switch {
	case err != nil:
		return nil, errors.New(cause(err))
	case len(src) > maxFileBytes:
		return nil, fmt.Errorf("it is larger than %d MiB", maxFileBytes>>20)
	}
	return src, nil
}

// skipped are directories with code of others.
func skipped() []string {
	return []string{".git", ".terraform", ".terragrunt-cache", "node_modules", "vendor", ".venv", "__pycache__", ".tox", ".gradle", ".idea"}
}

// walk looks at every file under the tree. Symbolic links are not followed.
func (t *tree) walk() {
	modules := make(map[string]terraform.Dir)
	err := fs.WalkDir(t.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			t.s.note(model.Source{File: t.called(name)}, "it cannot be read: "+cause(err), true)
			return fs.SkipDir
		case d.IsDir() && slices.Contains(skipped(), d.Name()):
			return fs.SkipDir
		case d.IsDir() && lethe.IsData(t.root.FS(), name):
			t.data(name)
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		if t.s.files++; t.s.files > maxFiles {
			t.s.note(model.Source{File: t.called(name)}, fmt.Sprintf("there are more than %d files; the rest is not looked at", maxFiles), true)
			return fs.SkipAll
		}
		if isTerraform(name) {
			t.collect(modules, name)
			return nil
		}
		t.file(name, false)
		return nil
	})
	if err != nil {
		t.s.note(model.Source{File: t.name}, "it cannot be read: "+cause(err), true)
	}
	t.terraform(modules)
}

// named scans one file that the user named: if it cannot be told what it is, that is worth a note.
func (t *tree) named(name string) {
	if !isTerraform(name) {
		t.file(name, true)
		return
	}
	modules := make(map[string]terraform.Dir)
	t.collect(modules, name)
	t.terraform(modules)
}

func isTerraform(name string) bool {
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tf.json") || strings.HasSuffix(name, ".tofu.json") || strings.HasSuffix(name, ".tfvars")
}

func (t *tree) collect(modules map[string]terraform.Dir, name string) {
	src, err := t.content(name)
	if err != nil {
		t.s.note(model.Source{File: t.called(name)}, "it is not read: "+err.Error(), true)
		return
	}
	dir := t.called(path.Dir(name))
	if modules[dir] == nil {
		modules[dir] = make(terraform.Dir)
	}
	modules[dir][path.Base(name)] = src
}

// terraform reads the directories that no other one calls as a module: these are read with what their callers give.
func (t *tree) terraform(modules map[string]terraform.Dir) {
	called := make(map[string]bool)
	for dir, files := range modules {
		for _, c := range terraform.Calls(dir, files) {
			called[c] = called[c] || c != dir
		}
	}
	open := func(dir string) (terraform.Dir, error) {
		if files := modules[dir]; files != nil {
			return files, nil
		}
		return nil, errors.New("there is no such directory in what is scanned")
	}
	for _, dir := range sortedKeys(modules) {
		if called[dir] {
			continue
		}
		resources, problems := terraform.ReadDir(dir, open)
		for _, r := range resources {
			t.s.found(r)
		}
		for _, p := range problems {
			t.s.note(p.Source, p.Text, true)
		}
	}
}

func sortedKeys(m map[string]terraform.Dir) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
