package script_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/script"
)

// TestScriptsOfClients runs scripts in the shape of those that well-known libraries send, on a redis-server and here, each
// with its own data: the replies must be the same, call by call. The comments of a script say how it is called: "before"
// is a command, "call" is a call with its keys and arguments, "near" one whose reply is a number that passes with time.
func TestScriptsOfClients(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/clients/*.lua")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	theirs, ours := startRedis(t).connect(t), startRedis(t).connect(t)
	e := script.New(script.DefaultLimits())
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body := string(text)
		for _, resp3 := range []bool{false, true} {
			theirs.do("FLUSHALL")
			ours.do("FLUSHALL")
			for _, line := range strings.Split(body, "\n") {
				how, rest, _ := strings.Cut(strings.TrimPrefix(line, "-- "), " ")
				if !strings.HasPrefix(line, "-- ") {
					break
				}
				switch how {
				case "before":
					theirs.do(words(t, rest)...)
					ours.do(words(t, rest)...)
				case "call", "near":
					left, right, _ := strings.Cut(rest, " | ")
					keys, args := words(t, left), words(t, right)
					theirs.SetRESP3(resp3)
					want := string(theirs.do(append([]string{"EVAL", body, strconv.Itoa(len(keys))}, append(keys, args...)...)...))
					theirs.SetRESP3(false)
					got := string(ours.eval(e, resp3, body, keys, args))
					if got != want && (how != "near" || got[:1] != want[:1]) {
						t.Errorf("%s (RESP3 %v): %s\ngot  %q\nwant %q", filepath.Base(file), resp3, rest, got, want)
					}
				}
			}
		}
	}
}

// words splits a line at spaces; a word in quotes is as Go writes it.
func words(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			out, line = append(out, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("cannot read %s: %v", line, err)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		out, line = append(out, word), line[len(quoted):]
	}
	return out
}
