package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// copies is a client that keeps what it has read until it is told to forget it.
type copies struct {
	*testkit.Client
	t    *testing.T
	kept map[string]string
	told int
	last string // key that it was told of
}

func cachesAt(t *testing.T, at *testkit.Lethe, options ...string) *copies {
	t.Helper()
	c := &copies{Client: at.Dial(t, mover.Name), t: t, kept: map[string]string{}}
	c.ask("HELLO", "3")
	if got := c.ask(append([]string{"CLIENT", "TRACKING", "ON"}, options...)...); string(got.Str) != "OK" {
		t.Fatalf("CLIENT TRACKING: %s", show(got.Raw))
	}
	return c
}

// ask returns the reply to a command, and takes what the client is told before it.
func (c *copies) ask(args ...string) testkit.Reply {
	c.t.Helper()
	c.Send(testkit.Command(args...))
	return c.answer()
}

// answer is the next reply.
func (c *copies) answer() testkit.Reply {
	c.t.Helper()
	for {
		r, err := c.Receive(patience)
		if err != nil {
			c.t.Fatal(err)
		}
		if r.Type != '>' {
			return r
		}
		c.take(r)
	}
}

func (c *copies) take(r testkit.Reply) {
	if len(r.Elems) != 2 || string(r.Elems[0].Str) != "invalidate" {
		c.t.Fatalf("told: %s", show(r.Raw))
	}
	c.told++
	if r.Elems[1].Null {
		clear(c.kept)
	}
	for _, k := range r.Elems[1].Elems {
		c.last = string(k.Str)
		delete(c.kept, c.last)
	}
}

// read returns what it has, or reads it.
func (c *copies) read(key string) string {
	c.t.Helper()
	if v, ok := c.kept[key]; ok {
		return v
	}
	v := string(c.ask("GET", key).Str)
	c.kept[key] = v
	return v
}

// forgets waits until the client was told to forget a key.
func (c *copies) forgets(what, key string) {
	c.t.Helper()
	soon(c.t, what+" is told", func() bool { c.ask("PING"); _, kept := c.kept[key]; return !kept })
}

// A client of one gateway that keeps what it has read is told whoever changes it, and however: at either gateway, at its
// deadline, at the upstream itself, and when nothing can be told any more. Of PHI it may keep nothing.
func TestClientsAreToldInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	one, two, behind := nearFleet(t)
	direct, here, there := behind.Dial(t), one.Dial(t, mover.Name), two.Dial(t, mover.Name)
	const code, other = "global:codesystem:icd10", "global:codesystem:other"
	lose := func() {
		for _, line := range strings.Split(string(direct.Do("CLIENT", "LIST").Str), "\n") {
			if strings.Contains(line, "flags=t") {
				id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
				direct.Do("CLIENT", "KILL", "ID", id)
			}
		}
	}
	changes := []struct {
		name string
		do   func()
	}{
		{"a write here", func() { here.Do("SET", code, "w") }},
		{"a write there", func() { there.Do("SET", code, "w") }},
		{"a deletion there", func() { there.Do("DEL", code) }},
		{"a shorter deadline there", func() { there.Do("PEXPIRE", code, "50") }},
		{"FLUSHALL there", func() { there.Do("FLUSHALL") }},
		{"its deadline", func() {}},
		{"FLUSHALL at the upstream", func() { direct.Do("FLUSHALL") }},
		{"the end of the connection", lose},
	}
	for _, how := range [][]string{{}, {"BCAST"}, {"BCAST", "PREFIX", "global:codesystem:i"}, {"OPTOUT"}} {
		c := cachesAt(t, one, how...)
		for _, change := range changes {
			life := "60000"
			if change.name == "its deadline" {
				life = "300"
			}
			soon(t, "the entry stays", func() bool { // where the connection was lost nothing is kept for a moment
				here.Do("SET", code, "v", "PX", life)
				c.ask("PING")
				c.read(code)
				c.ask("PING")
				_, kept := c.kept[code]
				return kept || change.name == "its deadline"
			})
			change.do()
			c.forgets(fmt.Sprintf("%v: %s", how, change.name), code)
		}
		c.ask("CLIENT", "TRACKING", "OFF")
	}
	optin := cachesAt(t, one, "OPTIN", "NOLOOP")
	soon(t, "an entry that is asked for stays", func() bool { // the connection was lost above, and with it everything that is kept
		delete(optin.kept, code)
		optin.ask("CLIENT", "CACHING", "YES")
		optin.read(code)
		optin.ask("PING")
		_, kept := optin.kept[code]
		return kept
	})
	optin.read(other)
	here.Do("MSET", code, "w", other, "w")
	optin.forgets("what was asked for", code)
	if _, kept := optin.kept[other]; !kept {
		t.Error("told of what was not asked for")
	}
	phi := cachesAt(t, one)
	expect(t, here, "+OK", "SET", patient, "v")
	soon(t, "PHI is read", func() bool { delete(phi.kept, patient); return phi.read(patient) == "v" })
	phi.forgets("that it is PHI", patient)
}

// Without a connection of its own a client of RESP2 is told on another one, and what nobody has read by prefix.
func TestClientsAreToldElsewhereInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	one, two, _ := nearFleet(t)
	listener, reads, there := one.Dial(t, mover.Name), one.Dial(t, mover.Name), two.Dial(t, mover.Name)
	id := string(listener.Do("CLIENT", "ID").Raw)
	expect(t, listener, "*3", "SUBSCRIBE", "__redis__:invalidate")
	expect(t, reads, "+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", strings.Trim(id, ":\r\n"))
	const code = "global:codesystem:icd10"
	expect(t, reads, "$-1", "GET", code)
	expect(t, there, "+OK", "SET", code, "v")
	m, err := listener.Receive(patience)
	if err != nil || !strings.Contains(string(m.Raw), code) || !strings.Contains(string(m.Raw), "__redis__:invalidate") {
		t.Fatalf("told: %s %v", show(m.Raw), err)
	}
	wide := cachesAt(t, one, "BCAST", "PREFIX", "global:measure:")
	soon(t, "a change that nobody has read is told", func() bool {
		there.Do("SET", "global:measure:1", "v")
		wide.ask("PING")
		return wide.told > 0
	})
	before := wide.told
	there.Do("SET", code, "w")
	there.Do("SET", "global:measure:1", "w")
	soon(t, "the next one too", func() bool { wide.ask("PING"); return wide.told > before })

	patients := cachesAt(t, one, "BCAST", "PREFIX", patient)
	soon(t, "a write is told", func() bool {
		expect(t, there, "+OK", "SET", patient, "v")
		patients.ask("PING")
		return patients.told > 0
	})
	there.Do("SET", patient+":mark", "v") // what is told before it is there
	soon(t, "the mark is told", func() bool { patients.ask("PING"); return patients.last == patient+":mark" })
	before = patients.told
	decide(t, two, "revoke", "1")
	soon(t, "what a patient's consent takes away is told", func() bool { patients.ask("PING"); return patients.told > before })
}

// Clients of both gateways read entries in the same moment in which others write or delete them. In the end none has a copy of
// what is not there any more: each entry is written once, so that nothing mends a change that was missed.
func TestNoChangeIsMissedInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	one, two, _ := nearFleet(t)
	writers := []*testkit.Client{one.Dial(t, mover.Name), two.Dial(t, mover.Name)}
	caches := []*copies{cachesAt(t, one), cachesAt(t, two), cachesAt(t, one, "BCAST")}
	const names = 400
	name := func(i int) string { return fmt.Sprint("global:codesystem:c", i) }
	for i := range names {
		w := writers[i%2]
		if i%3 == 0 {
			w.Do("SET", name(i), "old")
		}
		for _, c := range caches {
			c.Send(testkit.Command("GET", name(i)))
		}
		if i%5 == 0 {
			w.Send(testkit.Command("GETDEL", name(i)))
		} else {
			w.Send(testkit.Command("SET", name(i), "new"))
		}
		for _, c := range caches {
			c.kept[name(i)] = string(c.answer().Str)
		}
		if _, err := w.Receive(patience); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for which, c := range caches {
		c.ask("PING")
		kept += len(c.kept)
		for i := range names {
			soon(t, fmt.Sprintf("client %d has of entry %d what there is", which, i), func() bool {
				v, has := c.kept[name(i)]
				if !has {
					return true
				}
				c.ask("PING")
				return v == string(writers[0].Do("GET", name(i)).Str)
			})
		}
	}
	if kept < names/10 {
		t.Errorf("only %d copies were kept", kept)
	}
}
