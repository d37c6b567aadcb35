package clients

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// program is a client of another language: its directory, how it is made ready there, and how it is run.
type program struct {
	name      string
	dir       string
	install   [][]string
	run       []string
	protocols []int
}

func programs() []program {
	both := []int{2, 3}
	return []program{
		{"ioredis", "ioredis", npm(), []string{"node", "client.js"}, both},
		{"node-redis", "node-redis", npm(), []string{"node", "client.js"}, both},
		{"redis-py", "redis-py", [][]string{{"python3", "-m", "venv", "target"}, {"target/bin/pip", "install", "-q", "-r", "requirements.txt"}},
			[]string{"target/bin/python", "client.py"}, both},
		{"Jedis", "java", maven(), java("JedisClient"), both},
		{"Lettuce", "java", maven(), java("LettuceClient"), both},
		{"redis-cli", "redis-cli", nil, []string{"./client.sh"}, both},
		{"hiredis", "hiredis", [][]string{{"./build.sh"}}, []string{"target/client"}, both},
	}
}

func npm(options ...string) [][]string {
	return [][]string{append([]string{"npm", "ci", "--no-audit", "--no-fund"}, options...)}
}

func maven() [][]string { return [][]string{{"mvn", "-q", "-T1", "compile"}} }

func java(class string) []string {
	return []string{"sh", "-c", "exec java -cp target/classes:$(cat target/classpath) " + class}
}

const (
	installTimeout = 15 * time.Minute // it waits for the network
	programTimeout = 3 * time.Minute
)

// TestPrograms runs the clients of other languages. Each has to end well and to have been through every step.
func TestPrograms(t *testing.T) {
	install(t, programs())
	for _, p := range programs() {
		p.each(t, func(t *testing.T, protocol int) {
			if done := p.goThrough(t, start(t), protocol); !slices.Equal(done, steps()) {
				t.Errorf("went through %q, want %q", done, steps())
			}
		})
	}
}

// install makes programs ready, one directory after the other: some of them share one. Without the flag the test ends here.
func install(t *testing.T, programs []program) {
	t.Helper()
	if !*others {
		t.Skip("without -others only Go's clients run; `make test-clients` runs all")
	}
	installed := map[string]bool{}
	for _, p := range programs {
		if installed[p.dir] {
			continue
		}
		installed[p.dir] = true
		for _, args := range p.install {
			if out, err := execute(p.dir, os.Environ(), installTimeout, args); err != nil {
				t.Fatalf("cannot install %s: %v\n%s", p.name, err, out)
			}
		}
	}
}

// each is a parallel subtest for every protocol that a program speaks.
func (p program) each(t *testing.T, test func(t *testing.T, protocol int)) {
	for _, protocol := range p.protocols {
		t.Run(fmt.Sprintf("%s/RESP%d", p.name, protocol), func(t *testing.T) {
			t.Parallel()
			test(t, protocol)
		})
	}
}

// goThrough runs a program, which has to end well, and returns the steps that it says it was through.
func (p program) goThrough(t *testing.T, l *testkit.Lethe, protocol int) (steps []string) {
	t.Helper()
	out, err := execute(p.dir, surroundings(l, protocol), programTimeout, p.run)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range strings.Split(out, "\n") {
		if step, ok := strings.CutPrefix(line, "ok "); ok {
			steps = append(steps, step)
		}
	}
	return steps
}

// execute runs a command in a directory beside this file and returns what it printed.
func execute(dir string, environment []string, timeout time.Duration, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	name := args[0]
	if strings.Contains(name, "/") {
		var err error
		if name, err = filepath.Abs(filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Dir, cmd.Env = dir, environment
	cmd.WaitDelay = time.Second // a child that was left behind may hold the output open
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
