package upstream_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// hearer notes what it is told.
type hearer struct {
	mu            sync.Mutex
	changed, lost []string
}

func (h *hearer) Changed(_ engine.TenantID, key []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed = append(h.changed, string(key))
}

func (h *hearer) Lost(all []upstream.Kept) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range all {
		h.lost = append(h.lost, string(k.Key))
	}
}

func (h *hearer) take() (changed, lost string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.changed)
	slices.Sort(h.lost)
	changed, lost = strings.Join(h.changed, " "), strings.Join(h.lost, " ")
	h.changed, h.lost = nil, nil
	return changed, lost
}

// following is a gateway for a category, with its hearer.
func following(t *testing.T, o upstream.Options, category string) (*gateway, *hearer) {
	t.Helper()
	g, h := newGateway(t, o, category).alone(), &hearer{}
	g.backend.Hear(h)
	g.runQueue(t)
	g.do("SET", "first", "1")
	eventually(t, "something is followed", func() bool {
		_, how := g.follows(nothing, "GET", "first")
		return how == upstream.Followed
	})
	g.do("DEL", "first")
	eventually(t, "its change is told", func() bool { got, _ := h.take(); return got == "first" })
	return g, h
}

// follows reads and has what was read followed. between runs after the reading.
func (g *gateway) follows(between func(), args ...string) (reply string, how upstream.Following) {
	g.t.Helper()
	c := g.call(args...)
	task := &upstream.Task{Call: c, Keys: g.places(c)}
	g.x.Batch([]*upstream.Task{task})
	between()
	for i := range c.Keys {
		how = g.backend.Follow(g.tenant, c.Keys[i].Name, task, i)
	}
	return string(c.Out.Bytes()), how
}

func nothing() {}

// settled waits until the upstream has answered what it was asked before: a follow of a name that nobody has, and its change.
func (g *gateway) settled(h *hearer) (changed string) {
	g.t.Helper()
	mark := fmt.Sprint("mark", time.Now().UnixNano())
	g.follows(func() { g.do("SET", mark, "1") }, "GET", mark)
	var all []string
	eventually(g.t, "the mark's change is told", func() bool {
		more, _ := h.take()
		all = append(all, strings.Fields(more)...)
		return slices.Contains(all, mark)
	})
	g.do("DEL", mark)
	return strings.TrimSpace(strings.ReplaceAll(strings.Join(all, " "), mark, ""))
}

// A followed entry is told of once, whoever changes it and however, and whether that comes before it is followed or after.
func TestFollowedEntriesAreToldOf(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := r.Dial(t)
	g, h := following(t, unixOptions(r), "reference")
	other := &gateway{side: newSide(t, "reference"), sink: g.sink}
	other.clock, other.x = g.clock, g.backend.NewExecutor(5)
	t.Cleanup(other.x.Close)
	upstreams := func(match string) (name string) {
		if keys := direct.Do("KEYS", match).Elems; len(keys) > 0 {
			name = string(keys[0].Str)
		}
		return name
	}
	change := map[string]func(){
		"written":  func() { other.do("SET", "k", "w") },
		"deleted":  func() { other.do("DEL", "k") },
		"extended": func() { other.do("EXPIRE", "k", "100") },
		"evicted":  func() { direct.Do("UNLINK", upstreams("l:*")) },
		"flushed":  func() { direct.Do("FLUSHALL") },
		"replaced": func() { direct.Do("SET", upstreams("l:*"), "x") },
		"part":     func() { other.do("HSET", "k", "f", "w") },
		"data":     func() { direct.Do("DEL", upstreams("l:*~")) },
	}
	f := func(make, read []string, how string, told bool) {
		t.Helper()
		for _, before := range []bool{true, false} {
			direct.Do("FLUSHALL")
			g.sink.takeAlarms()
			g.settled(h)
			if make != nil {
				g.do(make...)
			}
			between := nothing
			if before {
				between = change[how]
			}
			if _, got := g.follows(between, read...); got != upstream.Followed {
				t.Fatalf("%s: follow: %v", how, got)
			}
			if !before {
				if early := g.settled(h); early != "" {
					t.Errorf("%q, unchanged: told of %q", read, early)
				}
				change[how]()
			}
			want := ""
			if told {
				want = "k"
				eventually(t, fmt.Sprintf("%q is told of, %s before: %v", read, how, before), func() bool {
					got, _ := h.take()
					return got == want
				})
				continue
			}
			if got := g.settled(h); got != want {
				t.Errorf("%q, %s: told of %q", read, how, got)
			}
		}
	}
	text, hash := []string{"SET", "k", "v"}, []string{"HSET", "k", "f", "v"}
	for _, how := range []string{"written", "deleted", "extended", "evicted", "flushed", "replaced"} {
		f(text, []string{"GET", "k"}, how, true)
	}
	f(nil, []string{"GET", "k"}, "written", true)
	f(nil, []string{"EXISTS", "k"}, "deleted", false) // it was not there, and is not
	f(text, []string{"TTL", "k"}, "extended", true)
	for _, how := range []string{"part", "deleted"} {
		f(hash, []string{"HGET", "k", "f"}, how, true)
		f(hash, []string{"HGETALL", "k"}, how, true)
	}
	f([]string{"RPUSH", "k", "a"}, []string{"LRANGE", "k", "0", "-1"}, "deleted", true)
	f([]string{"SADD", "k", "a"}, []string{"SISMEMBER", "k", "a"}, "written", true)
	f(hash, []string{"HGETALL", "k"}, "flushed", true)
}

// Whoever takes the data of a collection away, and leaves its record, is told of: the data belongs to it.
func TestFollowedCollectionsAreTheirDataToo(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := r.Dial(t)
	g, h := following(t, unixOptions(r), "reference")
	g.do("HSET", "k", "f", "v")
	g.follows(nothing, "HGETALL", "k")
	g.settled(h)
	for _, name := range direct.Do("KEYS", "l:*~").Elems {
		direct.Do("DEL", string(name.Str))
	}
	eventually(t, "it is told of", func() bool { got, _ := h.take(); return got == "k" })
}

// The deadline is told of though the upstream was told to keep the entry, and nobody else deletes it.
func TestFollowedEntriesEnd(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	g, h := following(t, unixOptions(r), "reference")
	g.do("SET", "k", "v", "PX", "3000")
	deadline := g.clock.Now() + 3000
	r.Dial(t).Do("PERSIST", string(r.Dial(t).Do("KEYS", "l:*").Elems[0].Str))
	g.backend.Ended("A", []byte("k"), g.backend.Stamp()) // another gateway is the one to delete it
	g.follows(nothing, "GET", "k")
	told := g.settled(h)
	if told != "" && g.clock.Now() < deadline-1000 {
		t.Fatalf("told of %q before its deadline", told)
	}
	eventually(t, "the deadline is told of", func() bool { got, _ := h.take(); return told == "k" || got == "k" })
}

// Two connections that read different states of an entry: the former is told at once. The same state is followed once.
func TestFollowingAnotherState(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	g, h := following(t, unixOptions(r), "reference")
	g.do("SET", "k", "v")
	for _, want := range []upstream.Following{upstream.Followed, upstream.Followed} {
		if _, how := g.follows(nothing, "GET", "k"); how != want {
			t.Errorf("follow: %v, want %v", how, want)
		}
	}
	c := g.call("GET", "k")
	task := &upstream.Task{Call: c, Keys: g.places(c)}
	g.x.Batch([]*upstream.Task{task})
	g.do("SET", "k", "w")
	g.follows(nothing, "GET", "k")
	if how := g.backend.Follow(g.tenant, []byte("k"), task, 0); how != upstream.FollowedAnew {
		t.Errorf("of another state: %v", how)
	}
	eventually(t, "the old state is told of", func() bool { got, _ := h.take(); return strings.HasPrefix(got, "k") })
}

// A field with a deadline of its own ends without a change upstream, and what is about a patient is the patient's.
func TestWhatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	g, _ := following(t, unixOptions(r), "reference")
	g.do("HSET", "k", "f", "v", "g", "w")
	if _, how := g.follows(nothing, "HGETALL", "k"); how != upstream.Followed {
		t.Errorf("a hash: %v", how)
	}
	g.do("HEXPIRE", "k", "100", "FIELDS", "1", "f")
	if _, how := g.follows(nothing, "HGETALL", "k"); how != upstream.NotFollowed {
		t.Errorf("a hash whose fields end one by one: %v", how)
	}
	var about upstream.Subjects
	about = about.With([]byte("1"))
	g.place.Subjects = about
	g.do("SET", "note", "v")
	g.place.Subjects = nil
	if _, how := g.follows(nothing, "GET", "note"); how != upstream.NotFollowed {
		t.Errorf("a value about a patient: %v", how)
	}
}

// Counters of a category with seal: off are followed by their values.
func TestFollowedCounters(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	g, h := following(t, unixOptions(r), "rate_limit")
	g.place.Plain = true
	g.do("INCR", "k")
	if reply, how := g.follows(nothing, "GET", "k"); reply != "$1\r\n1\r\n" || how != upstream.Followed {
		t.Fatalf("%q %v", reply, how)
	}
	if got := g.settled(h); got != "" {
		t.Errorf("told of %q", got)
	}
	g.do("INCR", "k")
	eventually(t, "a count is told of", func() bool { got, _ := h.take(); return got == "k" })
}

// What is read in a transaction is followed as it was there.
func TestFollowedInTransactions(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	g, h := following(t, unixOptions(r), "reference")
	g.do("SET", "a", "v")
	read := g.call("MGET", "a", "b")
	task := &upstream.Task{Call: read, Keys: g.places(read)}
	if ran, problem := g.x.Transaction([]*upstream.Task{task}, nil, once); !ran {
		t.Fatal(problem)
	}
	for i, name := range []string{"a", "b"} {
		if how := g.backend.Follow(g.tenant, []byte(name), task, i); how != upstream.Followed {
			t.Errorf("%s: %v", name, how)
		}
	}
	if got := g.settled(h); got != "" {
		t.Errorf("told of %q", got)
	}
	g.do("MSET", "a", "w", "b", "w")
	var all []string
	eventually(t, "both are told of", func() bool {
		got, _ := h.take()
		all = append(all, strings.Fields(got)...)
		return len(all) == 2
	})
}

// Without the connection that tells, everything that was followed is lost, and told to be: whether it is closed, or silent,
// or its node answers with errors, as one of a cluster does that has lost the others.
func TestFollowedEntriesAreLostWithTheirConnection(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g, h := following(t, upstream.Options{Mode: upstream.Standalone, Addresses: []string{s.Addr()}, PlainText: true, Timeout: 5 * time.Second}, "reference")
	f := func(name string, lose, mend func()) {
		t.Helper()
		eventually(t, name+": it is followed", func() bool {
			g.do("SET", "k", name)
			_, how := g.follows(nothing, "GET", "k")
			return how == upstream.Followed
		})
		g.settled(h)
		g.follows(nothing, "GET", "k")
		lose()
		eventually(t, name+": it is told that it is lost", func() bool { _, lost := h.take(); return lost == "k" })
		mend()
	}
	f("closed", func() { closeTracking(s) }, func() {})
	f("refused", func() { s.Must("ACL", "SETUSER", "default", "-exists") }, func() { s.Must("ACL", "SETUSER", "default", "+exists") })
	f("silent", func() { s.Signal(syscall.SIGSTOP) }, func() { s.Signal(syscall.SIGCONT) })
}

// awaits reads and awaits what was read.
func (g *gateway) awaits(want bool, args ...string) upstream.Following {
	g.t.Helper()
	c := g.call(args...)
	task := &upstream.Task{Call: c, Keys: g.places(c)}
	g.x.Batch([]*upstream.Task{task})
	if got := task.Held(0); got != want {
		g.t.Errorf("%q: held %t", args, got)
	}
	return g.backend.Await(g.tenant, c.Keys[0].Name, task, 0)
}

// Who awaits an entry is told when there is something, and after some seconds in any case, since its name is kept for no longer
// than somebody waits: for as long as nobody has a copy.
func TestAwaitedEntries(t *testing.T) {
	t.Parallel()
	g, h := following(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), "reference")
	for _, want := range []upstream.Following{upstream.Followed, upstream.Followed} {
		if how := g.awaits(false, "LLEN", "k"); how != want {
			t.Errorf("await: %v, want %v", how, want)
		}
	}
	g.do("RPUSH", "k", "v")
	eventually(t, "it is told of", func() bool { got, _ := h.take(); return got == "k" })
	g.awaits(true, "LLEN", "k")
	g.awaits(false, "GET", "copied")
	g.follows(nothing, "GET", "copied")
	g.awaits(false, "GET", "copied")
	eventually(t, "it is forgotten", func() bool { got, _ := h.take(); return got == "k" })
	g.do("SET", "copied", "v")
	eventually(t, "what there is a copy of is told of", func() bool { got, _ := h.take(); return got == "copied" })
}
