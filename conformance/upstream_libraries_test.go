package conformance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// librariesScripts are scripts of libraries that declare their keys.
var librariesScripts = []string{"bucket4j_compare_and_swap", "gateway_rate_limiter", "lock_registry_obtain", "lock_registry_release",
	"redisson_lock", "redisson_unlock", "sidekiq_reliable_fetch"}

// Scripts in the shape of those that libraries send answer as on redis-server, in front of an upstream.
func TestScriptsOfLibrariesInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, nothingSealed(t))
	p.librariesScripts(t, "")
}

// librariesScripts runs them as internal/script does: the comments of each say how it is called. tag is put before every key.
func (p *pair) librariesScripts(t *testing.T, tag string) {
	t.Helper()
	for _, name := range librariesScripts {
		text, err := os.ReadFile(filepath.Join("..", "internal", "script", "testdata", "clients", name+".lua"))
		if err != nil {
			t.Fatal(err)
		}
		bothProtocols(t, p, func(t *testing.T, d *duo) {
			d.redis.Do("FLUSHALL")
			d.lethe.Do("FLUSHALL")
			for line := range strings.Lines(string(text)) {
				how, rest, comment := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "-- "), " ")
				if !strings.HasPrefix(line, "-- ") || !comment {
					break
				}
				c, ok := libraryCall(t, string(text), tag, how, rest)
				if !ok {
					continue
				}
				if problem := d.run(c); problem != "" {
					t.Errorf("%s: %s\n    %s", name, rest, problem)
				}
			}
		})
	}
}

// libraryCall reads one comment of a script: "before" is a command, "call" and "near" are calls with keys and arguments.
func libraryCall(t *testing.T, body, tag, how, rest string) (c call, ok bool) {
	t.Helper()
	split := func(line string) []string {
		all, err := words(line)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	switch how {
	case "before":
		c.args = split(rest)
		c.args[1] = tag + c.args[1]
		return c, true
	case "near":
		c.how, c.tolerance = near, 10_000 // milliseconds
	case "call":
	default:
		return c, false
	}
	left, right, _ := strings.Cut(rest, " | ")
	keys := split(left)
	c.args = []string{"EVAL", body, strconv.Itoa(len(keys))}
	for _, k := range keys {
		c.args = append(c.args, tag+k)
	}
	c.args = append(c.args, split(right)...)
	return c, true
}
