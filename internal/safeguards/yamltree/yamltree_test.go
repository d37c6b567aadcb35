package yamltree_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

func TestParse(t *testing.T) {
	t.Parallel()
	f := func(src, want string, path ...string) {
		t.Helper()
		docs, err := yamltree.Parse([]byte(src))
		if err != nil || len(docs) == 0 {
			t.Fatalf("%q: %v", src, err)
		}
		if have := docs[0].At(path...).String(); have != want {
			t.Errorf("%q at %v is %q, want %q", src, path, have, want)
		}
	}
	f("a: {b: c}", "c", "a", "b")
	f("x: &x {b: c, d: e}\na:\n  <<: *x\n  d: f", "c", "a", "b")
	f("x: &x {b: c, d: e}\na:\n  d: f\n  <<: *x", "f", "a", "d")
	f("{\n\t\"a\":\t{\"b\": \"c\"}\n}", "c", "a", "b")
	f("a: null", "", "a")
	f("a: [1]", "", "a", "b")
}

func TestParseHasLimits(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		p := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+p+",", 10), ",") + "]\n"
	}
	f := func(src, want string) {
		t.Helper()
		_, err := yamltree.Parse([]byte(src))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want an error with %q", src, err, want)
		}
	}
	f(bomb, "nodes")
	f(strings.Repeat("[", 300)+strings.Repeat("]", 300), "nested")
	f("a: &a\n  b: *a", "")
	f("a: [", "not valid YAML")
	f(strings.Repeat("---\na\n", yamltree.MaxDocs+1), "documents")
}

func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	_, err := yamltree.Parse([]byte("password: CANARY\n  : [CANARY\n"))
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error is %v, want one without the text of the file", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &a [1]\nb: *a\n<<: {c: d}"))
	f.Add([]byte("!Ref x"))
	f.Fuzz(func(t *testing.T, src []byte) {
		docs, _ := yamltree.Parse(src)
		for _, d := range docs {
			_ = d.At("a", "b").String()
		}
	})
}
