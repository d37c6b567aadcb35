package command

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// collectionLab runs commands of some families on a store of their own, with a clock that the test moves and a policy of
// one category whose ceiling is a minute.
type collectionLab struct {
	t       *testing.T
	table   *Table
	store   *engine.Store
	call    Call
	refuse  bool // what is beyond the ceiling is refused, not clamped
	clamped int
}

const (
	labCeiling = 60_000
	labWall    = 1_700_000_000_000 // Unix milliseconds when the lab's clock shows 1,000,000
)

func newCollectionLab(t *testing.T, families ...[]*Spec) *collectionLab {
	l := &collectionLab{t: t, table: &Table{byName: map[string]*Spec{}}, store: engine.New(engine.Options{Categories: 1})}
	for _, family := range families {
		for _, s := range family {
			l.table.add(s, nil)
		}
	}
	l.call = Call{Tx: l.store.NewTx(), Out: resp.NewWriter(512), Now: 1_000_000, WallNow: labWall, Expiry: l}
	t.Cleanup(l.store.Close)
	return l
}

func (l *collectionLab) wait(ms int64) { l.call.Now, l.call.WallNow = l.call.Now+ms, l.call.WallNow+ms }

// run runs a command, written as words, and returns its reply with spaces for the ends of lines.
func (l *collectionLab) run(line string) string {
	l.t.Helper()
	c := l.prepare(line)
	if c == nil {
		l.t.Fatalf("%s: no such command, or its arity is wrong", line)
	}
	c.Tx.Begin(c.Now, l)
	c.Tx.Lock(c.Keys)
	c.Spec.Run(c)
	c.Tx.Unlock()
	defer c.Out.Reset()
	return strings.ReplaceAll(strings.TrimSuffix(string(c.Out.Bytes()), "\r\n"), "\r\n", " ")
}

// prepare returns the call of a command that is not run; nil if there is no such command, or not with so many words.
func (l *collectionLab) prepare(line string) *Call {
	c := &l.call
	c.Reset()
	for _, word := range strings.Fields(line) {
		c.Args = append(c.Args, []byte(word))
	}
	if len(c.Args) == 0 {
		return nil
	}
	spec, ok := l.table.Lookup(c.Args)
	if !ok || spec == nil || spec.Run == nil || !spec.ArityOK(len(c.Args)) {
		return nil
	}
	c.Spec = spec
	if c.Refs, ok = spec.KeysOf(c.Args, c.Refs); !ok {
		c.Refs = c.Refs[:0]
	}
	for _, r := range c.Refs {
		c.Keys, c.Told = append(c.Keys, l.store.Key(0, 0, c.Args[r.Arg])), append(c.Told, Untold)
	}
	return c
}

// is fails unless a command has the given reply.
func (l *collectionLab) is(want, line string) {
	l.t.Helper()
	if got := l.run(line); got != want {
		l.t.Errorf("%s: %s, want %s", line, got, want)
	}
}

// told fails unless the last command said this of its keys.
func (l *collectionLab) told(want ...Outcome) {
	l.t.Helper()
	for i, o := range want {
		if l.call.Told[i] != o {
			l.t.Errorf("%s says %d of key %d, want %d", l.call.Spec.Name, l.call.Told[i], i, o)
		}
	}
}

// ttl returns the milliseconds that a key has left, -1 where there is none.
func (l *collectionLab) ttl(key string) int64 {
	keys := []engine.Key{l.store.Key(0, 0, []byte(key))}
	l.call.Tx.Begin(l.call.Now, l)
	l.call.Tx.Lock(keys)
	defer l.call.Tx.Unlock()
	e := l.call.Tx.Peek(&keys[0])
	if !e.Exists() {
		return -1
	}
	return e.Meta().ExpiresAt - l.call.Now
}

func (l *collectionLab) Removed(engine.Removal) {}

func (l *collectionLab) Whole(c *Call, _ int, ask Ask, _ engine.Entry) (engine.Meta, bool) {
	return l.granted(c, c.Now, ask, c.Now+labCeiling)
}

func (l *collectionLab) Change(c *Call, _ int, ask Ask, old engine.Entry) (engine.Meta, bool) {
	return l.granted(c, old.Meta().BornAt, ask, old.Meta().BornAt+labCeiling)
}

func (l *collectionLab) Derive(c *Call, _ int, ask Ask, sources []engine.Meta) (engine.Meta, bool) {
	latest := c.Now + labCeiling
	for _, m := range sources {
		latest = min(latest, m.ExpiresAt)
	}
	return l.granted(c, c.Now, ask, latest)
}

func (l *collectionLab) granted(c *Call, born int64, ask Ask, latest int64) (engine.Meta, bool) {
	m := engine.Meta{BornAt: born, ExpiresAt: latest}
	if ask.Kind == AskAt && ask.At <= latest {
		m.ExpiresAt = ask.At
	} else if ask.Kind == AskAt {
		if l.clamped++; l.refuse {
			c.Error("POLICY test: beyond the ceiling")
			return m, false
		}
	}
	return m, true
}
