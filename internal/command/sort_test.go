package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/engine"
)

// foreignKeys is a connection that lets SORT read the keys that do not begin with "secret".
type foreignKeys struct {
	Conn
	store   *engine.Store
	tenants map[string]engine.TenantID // of keys that are another tenant's
	seen    []string
	last    string
}

func (f *foreignKeys) Foreign(c *Call, name []byte) (engine.Key, bool) {
	f.last = string(name)
	k := f.store.Key(f.tenants[f.last], 0, []byte(f.last))
	return k, !strings.HasPrefix(f.last, "secret")
}

func (f *foreignKeys) FoundForeign(_ *Call, o Outcome) {
	f.seen = append(f.seen, f.last+map[Outcome]string{Hit: " hit", Miss: " miss"}[o])
}

func newSortLab(t *testing.T) (*collectionLab, *foreignKeys) {
	l := newCollectionLab(t, sortCommands(), stringCommands(), listCommands(), hashCommands(), setCommands())
	f := &foreignKeys{store: l.store, tenants: map[string]engine.TenantID{"other2": 1}}
	l.call.Conn = f
	return l, f
}

func TestSortReadsForeignKeys(t *testing.T) {
	t.Parallel()
	l, f := newSortLab(t)
	l.is(":3", "RPUSH l 1 2 3")
	l.is("+OK", "MSET w1 30 w2 20 w3 10 v1 one v3 three")
	l.is("*3 $5 three $-1 $3 one", "SORT l BY w* GET v*")
	l.told(Hit)
	want := []string{"w1 hit", "w2 hit", "w3 hit", "v3 hit", "v2 miss", "v1 hit"}
	if !slices.Equal(f.seen, want) {
		t.Errorf("the records are %v, want %v", f.seen, want)
	}
}

// What the credential may not read, and what is another tenant's, ends the command, and nothing of the reply is left.
func TestSortIsRefusedForeignKeys(t *testing.T) {
	t.Parallel()
	l, _ := newSortLab(t)
	l.is(":2", "RPUSH l 1 2")
	l.is("+OK", "MSET other1 1 other2 2 secret1 1")
	const by, get = "-ERR BY option of SORT denied due to insufficient ACL permissions.", "-ERR GET option of SORT denied due to insufficient ACL permissions."
	l.is(by, "SORT l BY secret*")
	l.is(get, "SORT l GET # GET secret*")
	l.is(by, "SORT l BY other*")
	l.is(get, "SORT l GET other*")
	l.is(get, "SORT l GET other* STORE d")
	l.is("$-1", "GET d")
	l.call.Conn = nil // one that knows of no foreign keys
	l.is(get, "SORT l GET w*")
	l.is("*2 $1 1 $1 2", "SORT l GET #")
}

// A stored result lives no longer than what was sorted and whatever was read for it.
func TestSortStoreDerives(t *testing.T) {
	t.Parallel()
	l, _ := newSortLab(t)
	l.is("+OK", "SET v1 one")
	l.wait(5_000)
	l.is(":1", "HSET h1 weight 3")
	l.wait(5_000)
	l.is(":1", "RPUSH l 1")
	f := func(want int64, line string) {
		t.Helper()
		l.is("+OK", "SET d old")
		l.is(":1", line)
		l.told(Hit, Stored)
		if got := l.ttl("d"); got != want {
			t.Errorf("%s: %d ms are left, want %d", line, got, want)
		}
	}
	f(labCeiling, "SORT l STORE d")
	f(labCeiling-10_000, "SORT l GET v* STORE d")
	f(labCeiling-5_000, "SORT l BY h*->weight STORE d")
	l.is(":0", "SORT none STORE d")
	l.told(Miss, Deleted)
	// Of several destinations the last counts, and words that belong to other options are none.
	f(labCeiling, "SORT l BY store STORE e STORE d")
	f(labCeiling, "SORT l STORE store GET # STORE d")
	l.is("*0", "LRANGE e 0 -1")
	l.is("*0", "LRANGE store 0 -1")
}

func TestSortPatterns(t *testing.T) {
	t.Parallel()
	f := func(in, prefix, suffix, field string) {
		t.Helper()
		p := parseSortPattern([]byte(in))
		if !p.key || string(p.prefix) != prefix || string(p.suffix) != suffix || string(p.field) != field || (p.field == nil) != (field == "") {
			t.Errorf("%s: %q, %q, %q", in, p.prefix, p.suffix, p.field)
		}
	}
	f("*", "", "", "")
	f("a*b", "a", "b", "")
	f("a*b*c", "a", "b*c", "")
	f("a*->f", "a", "", "f")
	f("a*b->f->g", "a", "b", "f->g")
	f("a*->", "a", "->", "")
	f("a->b*c", "a->b", "c", "")
	if p := parseSortPattern([]byte("#")); !p.element || p.key {
		t.Error("# is not the element")
	}
	if p := parseSortPattern([]byte("key")); p.element || p.key {
		t.Error("a fixed name is a pattern")
	}
}

func TestReachesBeyondKeys(t *testing.T) {
	t.Parallel()
	table := NewTable()
	f := func(want bool, line string) {
		t.Helper()
		var args [][]byte
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		s, _ := table.Lookup(args)
		if got := s.ReachesBeyondKeys(args); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	f(false, "SORT l")
	f(false, "SORT l BY nosort GET #")
	f(true, "SORT l BY w*")
	f(true, "sort l LIMIT 0 1 get a*->b")
	f(true, "SORT_RO l GET *")
	f(false, "LPUSH l BY *")
}

func TestSortScores(t *testing.T) {
	t.Parallel()
	f := func(in string, want float64, wantOK bool) {
		t.Helper()
		if got, ok := sortScore([]byte(in)); ok != wantOK || ok && got != want {
			t.Errorf("%q: %v, %v", in, got, ok)
		}
	}
	f("", 0, true)
	f("1", 1, true)
	f(" 1.5e1", 15, true)
	f("0x10", 16, true)
	f("0e5", 0, true)
	f(" ", 0, false)
	f("1 ", 0, false)
	f("1e400", 0, false)
	f("1e-400", 0, false)
	f("nan", 0, false)
	f("1_0", 0, false)
}

func TestHeldTextClearsWhatItLeaves(t *testing.T) {
	t.Parallel()
	var text heldText
	text.add([]byte("secret"))
	first := text.buf[:cap(text.buf)]
	for range 100 {
		text.add([]byte("secret"))
	}
	whole := text.buf[:cap(text.buf)]
	text.reset() // what is behind the length is left too, when there is a larger buffer
	text.add(make([]byte, cap(whole)+1))
	text.clear()
	for _, b := range [][]byte{first, whole} {
		if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			t.Error("a copy is left")
		}
	}
}

// FuzzSort runs what a stranger may send.
func FuzzSort(f *testing.F) {
	f.Add("LIMIT -1 9223372036854775807 DESC", "1 2 3")
	f.Add("BY w* GET # GET v*->f ALPHA STORE d", "b a 1e400")
	f.Add("BY *->->x GET * STORE STORE", "x")
	f.Fuzz(func(t *testing.T, options, elements string) {
		if strings.ContainsAny(options+elements, "\r\n") || len(strings.Fields(elements)) == 0 {
			return
		}
		l, _ := newSortLab(t)
		l.run("RPUSH l " + elements)
		if got := l.run("SORT l " + options); got == "" || strings.IndexByte("*-:", got[0]) < 0 {
			t.Errorf("%q", got)
		}
	})
}
