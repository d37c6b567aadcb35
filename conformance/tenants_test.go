package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// The promise about tenants (G4), for every command of the table: what a credential of tenant A sends shows nothing of
// tenant B, changes nothing of it and counts nothing of it. The calls are those of the scripts, with B's keys in the
// places where keys stand.

const (
	tenantA, tenantB = "TENANTA", "TENANTB"
	markOfB          = "only-b-may-know-this"
)

// neighbours is a server with the data of B in it, and connections of both and of somebody who reaches both.
type neighbours struct {
	lethe      *testkit.Lethe
	a, b, both *testkit.Client
	keysOfB    []string
}

func startNeighbours(t *testing.T) *neighbours {
	t.Helper()
	const all = "~* &* +@all"
	n := &neighbours{lethe: testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{
		{Name: "a", Tenants: []string{tenantA}, Rules: all},
		{Name: "b", Tenants: []string{tenantB}, Rules: all},
		{Name: "both", Tenants: []string{tenantA, tenantB}, Rules: all},
	}})}
	n.a, n.b, n.both = n.lethe.Dial(t, "a"), n.lethe.Dial(t, "b"), n.lethe.Dial(t, "both")
	n.fill(t)
	return n
}

// fill writes an entry of each type for B: in keys that name the tenant, and in one that only the credential places.
func (n *neighbours) fill(t *testing.T) {
	t.Helper()
	n.keysOfB = nil
	for kind := range samples("") {
		if kind == "none" {
			continue
		}
		n.keysOfB = append(n.keysOfB, fmt.Sprintf("%s:patient:%s:%s", tenantB, markOfB, strings.ReplaceAll(kind, " ", "-")))
		set := samples(n.keysOfB[len(n.keysOfB)-1])[kind]
		if set[0] == "SET" && kind == "string" {
			set[2] = markOfB
		}
		if r := n.b.Do(set...); r.IsError() {
			t.Fatalf("B cannot write: %s", r.Str)
		}
	}
	n.b.Do("SET", "shared:name", markOfB)
	n.keysOfB = append(n.keysOfB, "shared:name")
	slices.Sort(n.keysOfB)
}

// state is everything that B has, as B sees it.
func (n *neighbours) state() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", n.b.Do("DBSIZE").Raw)
	for _, key := range n.keysOfB {
		kind := n.b.Do("TYPE", key)
		fmt.Fprintf(&b, "%s %s", key, kind.Raw)
		switch string(kind.Str) {
		case "string":
			b.Write(n.b.Do("GET", key).Raw)
		case "list":
			b.Write(n.b.Do("LRANGE", key, "0", "-1").Raw)
		case "set":
			fmt.Fprintf(&b, "%q", sortedElements(n.b.Do("SMEMBERS", key), 1))
		case "hash":
			fmt.Fprintf(&b, "%q", sortedElements(n.b.Do("HGETALL", key), 2))
		case "zset":
			b.Write(n.b.Do("ZRANGE", key, "0", "-1", "WITHSCORES").Raw)
		}
	}
	return b.String()
}

// keyed calls f for every call of the scripts that has keys and would reach its handler.
func keyed(t *testing.T, f func(spec *command.Spec, c call, keys []int)) {
	t.Helper()
	table := command.NewTable()
	for _, s := range scripts(t) {
		for _, c := range s.cases {
			for _, call := range c.calls {
				if strings.EqualFold(call.args[0], "SUNSUBSCRIBE") {
					continue // it repeats the name that it was sent, and reaches nothing
				}
				if keys := keysOf(table, call); len(keys) > 0 {
					args := make([][]byte, len(call.args))
					for i, a := range call.args {
						args[i] = []byte(a)
					}
					spec, _ := table.Lookup(args)
					f(spec, call, keys)
				}
			}
		}
	}
}

// keep calls f as keyed does, and sees that what is B's stays as it is. PHI lives for five minutes only, so it is written anew meanwhile.
func (n *neighbours) keep(t *testing.T, f func(spec *command.Spec, c call, keys []int)) {
	t.Helper()
	before, written := n.state(), time.Now()
	check := func() {
		t.Helper()
		if after := n.state(); after != before {
			t.Errorf("what is B's was changed\nbefore %q\nafter  %q", before, after)
		}
	}
	keyed(t, func(spec *command.Spec, c call, keys []int) {
		if time.Since(written) > time.Minute {
			check()
			n.b.Do(append([]string{"DEL"}, n.keysOfB...)...)
			n.fill(t)
			written = time.Now()
		}
		f(spec, c, keys)
	})
	check()
}

func TestKeysOfAnotherTenantAreOutOfReach(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t)
	tried := map[string]bool{}
	n.keep(t, func(spec *command.Spec, c call, keys []int) {
		tried[spec.FullName()] = true
		for _, only := range keys { // one key of B among those of A, in each place
			for _, key := range n.keysOfB[:len(n.keysOfB)-1] {
				args := slices.Clone(c.args)
				for i, at := range keys {
					args[at] = fmt.Sprintf("%s:patient:%d", tenantA, i)
				}
				args[only] = key
				r := n.a.Do(args...)
				if !strings.HasPrefix(string(r.Str), "TENANT ") || !r.IsError() {
					t.Errorf("%s answers %s", spec.RecordName(), show(r.Raw))
				}
				if bytes.Contains(r.Raw, []byte(markOfB)) {
					t.Errorf("%s shows what is B's", spec.RecordName())
				}
			}
		}
	})
	for _, spec := range command.NewTable().Specs() {
		if spec.Run != nil && len(spec.Keys) > 0 && !tried[spec.FullName()] && spec.FullName() != "sunsubscribe" {
			t.Errorf("%s was not tried", spec.RecordName())
		}
	}
}

// A key that names no tenant is another one for everybody.
func TestSameNameIsNotTheSameKey(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t)
	n.keep(t, func(spec *command.Spec, c call, keys []int) {
		args := slices.Clone(c.args)
		for _, at := range keys {
			args[at] = "shared:name"
		}
		if r := n.a.Do(args...); bytes.Contains(r.Raw, []byte(markOfB)) {
			t.Errorf("%s shows what is B's", spec.RecordName())
		}
	})
}

// Commands without keys: lists, counts, random choices, flushes, and everything about connections and the server.
func TestKeylessCommandsStayInTheTenant(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t)
	n.b.Do("CLIENT", "SETNAME", markOfB)
	before := n.state()
	table := command.NewTable()
	for _, s := range scripts(t) {
		for _, c := range s.cases {
			a := n.lethe.Dial(t, "a")
			for _, call := range c.calls {
				if len(keysOf(table, call)) > 0 || endsTheConnection(call) {
					continue
				}
				if r := a.Do(call.args...); bytes.Contains(r.Raw, []byte(markOfB)) || bytes.Contains(r.Raw, []byte(tenantB)) {
					t.Errorf("%q shows what is B's: %s", call.args, show(r.Raw))
				}
			}
			a.Conn.Close()
		}
	}
	if after := n.state(); after != before {
		t.Errorf("what is B's was changed\nbefore %q\nafter  %q", before, after)
	}
	f := func(want string, args ...string) {
		t.Helper()
		if r := n.a.Do(args...); string(r.Raw) != want {
			t.Errorf("%q answers %s, want %q", args, show(r.Raw), want)
		}
	}
	f(":0\r\n", "DBSIZE")
	f("*0\r\n", "KEYS", "*")
	f("*2\r\n$1\r\n0\r\n*0\r\n", "SCAN", "0", "COUNT", "10000")
	f("$-1\r\n", "RANDOMKEY")

	had := n.a.Do("INFO", "keyspace")
	for i := range 100 {
		n.b.Do("SET", fmt.Sprintf("%s:patient:more-%d", tenantB, i), "v")
	}
	if has := n.a.Do("INFO", "keyspace"); !bytes.Equal(had.Raw, has.Raw) {
		t.Errorf("INFO counts what is B's: before %s, after %s", show(had.Raw), show(has.Raw))
	}
}

func endsTheConnection(c call) bool {
	name := strings.ToUpper(c.args[0])
	return name == "QUIT" || name == "RESET" || name == "AUTH" || name == "HELLO"
}

// Who reaches two tenants may use both, and move or combine nothing from one into the other.
func TestNothingMovesBetweenTenants(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t)
	before := n.state()
	keyed(t, func(spec *command.Spec, c call, keys []int) {
		if spec.Effect != command.EffectDerive || len(keys) < 2 {
			return
		}
		for _, key := range n.keysOfB[:len(n.keysOfB)-1] {
			args := slices.Clone(c.args)
			for _, at := range keys {
				args[at] = key
			}
			for _, at := range []int{keys[0], keys[len(keys)-1]} {
				mixed := slices.Clone(args)
				mixed[at] = tenantA + ":patient:1"
				if r := n.both.Do(mixed...); !strings.HasPrefix(string(r.Str), "TENANT ") {
					t.Errorf("%s between two tenants answers %s", spec.RecordName(), show(r.Raw))
				}
			}
		}
	})
	if after := n.state(); after != before {
		t.Errorf("what is B's was changed\nbefore %q\nafter  %q", before, after)
	}
}

// The global tenant is there for all to read, and to write for those who name it.
func TestGlobalTenant(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{
		{Name: "a", Tenants: []string{tenantA}}, {Name: "editor", Tenants: []string{tenantA, "global"}},
	}})
	a, editor := l.Dial(t, "a"), l.Dial(t, "editor")
	f := func(c *testkit.Client, want string, args ...string) {
		t.Helper()
		if r := c.Do(args...); !strings.HasPrefix(string(r.Raw), want) {
			t.Errorf("%q answers %s, want %q", args, show(r.Raw), want)
		}
	}
	const key = "global:codesystem:icd10"
	f(editor, "+OK", "SET", key, "v")
	f(a, "$1\r\nv", "GET", key)
	f(a, "-TENANT ", "SET", key, "w")
	f(a, "-TENANT ", "DEL", key)
	f(a, "-TENANT ", "EXPIRE", key, "1")
	f(a, "-TENANT ", "RENAME", key, tenantA+":codesystem:mine")
	f(a, ":0\r\n", "DBSIZE")
	f(a, "$1\r\nv", "GET", key)
}
