package conformance

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testedRedis is the version whose test suite is run.
const testedRedis = "7.0.15"

// redisSource returns a directory with Redis's source, its suite ready to run against another server. It comes from where
// the machine's own packages come from, checked by apt; LETHE_REDIS_SOURCE names a directory that has it already.
func redisSource(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("LETHE_REDIS_SOURCE")
	if dir == "" {
		dir = t.TempDir()
		unpack(t, downloadRedis(t), dir)
	}
	version, err := os.ReadFile(filepath.Join(dir, "src", "version.h"))
	if err != nil || !bytes.Contains(version, []byte(`"`+testedRedis+`"`)) {
		t.Fatalf("the source of Redis is not that of %s", testedRedis)
	}
	for _, program := range []string{"redis-cli", "redis-benchmark", "redis-server"} {
		installed, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(installed, filepath.Join(dir, "src", program)); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "tests", "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// downloadRedis has apt fetch the source into a directory of its own, with settings of its own: nothing of the machine's
// apt changes.
func downloadRedis(t *testing.T) (archive string) {
	t.Helper()
	apt := t.TempDir()
	for _, sub := range []string{"parts", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sourceLists(t, filepath.Join(apt, "parts"))
	run := func(args ...string) {
		options := []string{
			"-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=" + apt + "/parts",
			"-o", "Dir::State::Lists=" + apt + "/lists", "-o", "Dir::Cache=" + apt + "/cache", "-o", "APT::Sandbox::User=",
		}
		cmd := exec.Command("apt-get", append(options, args...)...)
		cmd.Dir = apt
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("apt-get %s failed: %v\n%s", args[len(args)-1], err, out)
		}
	}
	run("-q", "update")
	run("-q", "--download-only", "source", "redis")
	archive = filepath.Join(apt, "redis_"+testedRedis+".orig.tar.gz")
	if _, err := os.Stat(archive); err != nil {
		t.Fatalf("the machine's package source has another Redis than %s", testedRedis)
	}
	return archive
}

var binaryTypes = regexp.MustCompile(`(?m)^Types:.*$`)

// sourceLists writes the machine's lists of package sources with deb-src in the place of deb.
func sourceLists(t *testing.T, to string) {
	t.Helper()
	files, err := filepath.Glob("/etc/apt/sources.list.d/*")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, file := range append(files, "/etc/apt/sources.list") {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		switch filepath.Ext(file) {
		case ".sources":
			text = binaryTypes.ReplaceAll(text, []byte("Types: deb-src"))
		case ".list":
			var lines []string
			for line := range strings.Lines(string(text)) {
				if rest, ok := strings.CutPrefix(line, "deb "); ok {
					lines = append(lines, "deb-src "+rest)
				}
			}
			text = []byte(strings.Join(lines, ""))
		default:
			continue
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), text, 0o644); err != nil {
			t.Fatal(err)
		}
		found = true
	}
	if !found {
		t.Fatal("the machine has no list of package sources: Redis's tests come from there")
	}
}

// unpack extracts the regular files of an archive, without the directory that all of them are in.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, name, inside := strings.Cut(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !inside || !filepath.IsLocal(name) {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, os.FileMode(h.Mode)&0o777); err != nil {
			t.Fatal(err)
		}
	}
}
