package script_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/script"
)

// TestSnippets runs every snippet of testdata/snippets.lua on a redis-server and here, in both protocol versions, and
// compares the replies byte for byte. A snippet begins with a line "-- name"; one whose name begins with "~" differs, and
// the comment behind it says why.
func TestSnippets(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	theirs, ours := server.connect(t), server.connect(t)
	e := script.New(script.DefaultLimits())
	text, err := os.ReadFile("testdata/snippets.lua")
	if err != nil {
		t.Fatal(err)
	}
	keys, args := []string{"k1", "k2"}, []string{"10", "abc", "0x10"}
	for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		body = strings.TrimSpace(body)
		differs := strings.HasPrefix(name, "~")
		for _, resp3 := range []bool{false, true} {
			theirs.do("FLUSHALL")
			theirs.SetRESP3(resp3)
			want := theirs.do(append([]string{"EVAL", body, strconv.Itoa(len(keys))}, append(keys, args...)...)...)
			theirs.do("FLUSHALL")
			ours.SetRESP3(false)
			got := ours.eval(e, resp3, body, keys, args)
			if same := string(got) == string(want); same == differs {
				t.Errorf("%s (RESP3 %v):\n%s\ngot  %q\nwant %q", name, resp3, body, got, want)
			}
		}
	}
}
