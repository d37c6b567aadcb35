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
	npm := [][]string{{"npm", "ci", "--no-audit", "--no-fund"}}
	maven := [][]string{{"mvn", "-q", "-T1", "compile"}}
	java := func(class string) []string {
		return []string{"sh", "-c", "exec java -cp target/classes:$(cat target/classpath) " + class}
	}
	return []program{
		{"ioredis", "ioredis", npm, []string{"node", "client.js"}, both},
		{"node-redis", "node-redis", npm, []string{"node", "client.js"}, both},
		{"redis-py", "redis-py", [][]string{{"python3", "-m", "venv", "target"}, {"target/bin/pip", "install", "-q", "-r", "requirements.txt"}},
			[]string{"target/bin/python", "client.py"}, both},
		{"Jedis", "java", maven, java("JedisClient"), both},
		{"Lettuce", "java", maven, java("LettuceClient"), both},
		{"redis-cli", "redis-cli", nil, []string{"./client.sh"}, both},
		{"hiredis", "hiredis", [][]string{{"./build.sh"}}, []string{"target/client"}, both},
	}
}

const (
	installTimeout = 15 * time.Minute // it waits for the network
	programTimeout = 3 * time.Minute
)

// TestPrograms runs the clients of other languages. Each has to end well and to have been through every step.
func TestPrograms(t *testing.T) {
	if !*others {
		t.Skip("without -others only Go's clients run; `make test-clients` runs all")
	}
	installed := map[string]bool{}
	for _, p := range programs() {
		if !installed[p.dir] { // one after the other: two of them share a directory
			installed[p.dir] = true
			for _, args := range p.install {
				if out, err := execute(p.dir, os.Environ(), installTimeout, args); err != nil {
					t.Fatalf("cannot install %s: %v\n%s", p.name, err, out)
				}
			}
		}
		for _, protocol := range p.protocols {
			t.Run(fmt.Sprintf("%s/RESP%d", p.name, protocol), func(t *testing.T) {
				t.Parallel()
				l := start(t)
				out, err := execute(p.dir, surroundings(l, protocol), programTimeout, p.run)
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				var done []string
				for _, line := range strings.Split(out, "\n") {
					if step, ok := strings.CutPrefix(line, "ok "); ok {
						done = append(done, step)
					}
				}
				if !slices.Equal(done, steps()) {
					t.Errorf("went through %q, want %q", done, steps())
				}
			})
		}
	}
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
