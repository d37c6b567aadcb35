package gateway_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
)

var updateMatrix = flag.Bool("update", false, "rewrite docs/access-matrix.md")

// cells is what was found: by command and column, the targets that it reaches.
type cells map[string]map[string][]string

// mayChange are the columns that may change data.
var mayChange = map[string]bool{"application": true, "application-global": true, "application-eval": true, "everything": true}

// mayReadData are the columns that may read data.
var mayReadData = map[string]bool{"application": true, "application-global": true, "application-eval": true, "read-only": true,
	"read-only-eval": true, "break-glass": true, "everything": true}

// G4: every command, by every role and way of logging in, on own, other and global tenants, by itself, in a pipeline, in a
// transaction and in a script. What is found is docs/access-matrix.md; what must hold of it whatever it says is checked here.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	found := make([]cells, len(methods()))
	t.Run("methods", func(t *testing.T) {
		for i, m := range methods() {
			t.Run(string(m), func(t *testing.T) {
				t.Parallel()
				found[i] = survey(t, m)
			})
		}
	})
	if t.Failed() {
		return
	}
	for i, m := range methods() {
		compareCells(t, m, found[i], found[0])
	}
	const path = "../../docs/access-matrix.md"
	want := printMatrix(command.NewTable(), found[0])
	if *updateMatrix {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/access-matrix.md is not what the gateway does: look at the difference, and if it is meant, run go test ./internal/gateway -run TestAccessMatrix -update (%v)", err)
	}
}

// compareCells checks that nobody may do more or less because of how he has logged in.
func compareCells(t *testing.T, m identity.Method, got, want cells) {
	t.Helper()
	for _, spec := range command.NewTable().Specs() {
		for _, col := range columnsOf(m) {
			a, b := strings.Join(got[spec.RecordName()][col.name], ","), strings.Join(want[spec.RecordName()][col.name], ",")
			if a != b {
				t.Errorf("%s, %s, %s: reaches %q, by token %q", m, col.name, spec.RecordName(), a, b)
			}
		}
	}
}

// columnsOf are the columns whose users can log in one way.
func columnsOf(m identity.Method) []column {
	return slices.DeleteFunc(columns(), func(c column) bool { return c.fileOnly && m != identity.ByToken && m != identity.ByCertificate })
}

// survey tries everything as users who log in one way.
func survey(t *testing.T, m identity.Method) cells {
	w := newWorld(t, true)
	found := cells{}
	calls := matrixCalls(w.gateway.Table)
	for _, col := range columnsOf(m) {
		other, global := w.digest(w.other), w.digest(w.global)
		for _, way := range ways() {
			v := &visit{world: w, column: col, method: m, way: way, found: found}
			for i := range calls {
				v.try(&calls[i])
			}
			if w.digest(w.other) != other {
				t.Errorf("%s, %s: the other tenant was changed", col.name, way.name)
				other = w.digest(w.other)
			}
			if now := w.digest(w.global); now != global && col.name != "application-global" {
				t.Errorf("%s, %s: the global tenant was changed", col.name, way.name)
				global = now
			}
			if heard := w.receive(w.ear); heard != "" {
				t.Errorf("%s, %s: the other tenant heard %q", col.name, way.name, heard)
			}
		}
	}
	return found
}

// visit is one user going through all calls in one way.
type visit struct {
	*world
	column  column
	method  identity.Method
	way     way
	found   cells
	session *gateway.Session
}

func (v *visit) try(c *matrixCall) {
	for _, t := range targets() {
		if c.keys < 2 && strings.Contains(t.name, " ") || c.keys == 0 && t.name != "own" {
			continue
		}
		words := v.on(c, t)
		if v.session == nil || v.unsettles(c) {
			v.session = v.enter(v.column, v.method)
		}
		reply := v.way.run(v.world, v.session, c, words)
		if reply == "" {
			continue
		}
		v.check(c, t, words, reply)
		if !refused(reply) {
			v.restore(c, t)
		}
		if v.unsettles(c) {
			v.session.End()
			v.session = nil
		}
	}
}

// unsettles reports whether a call may change the connection itself.
func (v *visit) unsettles(c *matrixCall) bool {
	return c.spec.Group == "connection" || c.spec.Group == "pubsub" || c.spec.Group == "transactions" || c.spec.Group == "cluster"
}

// restore undoes what a call may have changed.
func (v *visit) restore(c *matrixCall, t target) {
	switch {
	case c.spec.RecordName() == "CLIENT|PAUSE":
		v.must(v.own, "CLIENT", "UNPAUSE")
	case c.spec.RecordName() == "FLUSHALL", c.spec.RecordName() == "FLUSHDB":
		v.fill(v.own, ownPrefix, "7")
		v.fill(v.global, globalPrefix, "7")
	case c.spec.Group == "scripting" && c.keys == 0:
		v.must(v.own, "SCRIPT", "LOAD", matrixScript)
		v.must(v.own, "FUNCTION", "LOAD", "REPLACE", matrixLibrary)
	case c.keys == 0 || !c.spec.IsWrite():
	default:
		v.make(v.own, ownPrefix, kindOf(c.spec), "7")
		if v.column.name == "application-global" && t.name != "own" {
			v.make(v.global, globalPrefix, kindOf(c.spec), "7")
		}
	}
}

// check holds a reply against what may never be, and notes the cell. By themselves calls fill the cells; other ways may
// reach nothing that these do not.
func (v *visit) check(c *matrixCall, t target, words []string, reply string) {
	v.t.Helper()
	name, where := c.spec.RecordName(), fmt.Sprintf("%s, %s, %s on %s", v.column.name, v.way.name, c.spec.RecordName(), t.name)
	shown := reply
	for _, word := range words {
		if strings.Contains(word, canary) {
			shown = strings.ReplaceAll(shown, word, "") // what the caller said himself
		}
	}
	if strings.Contains(shown, canary) {
		v.t.Errorf("%s: shows what is the other tenant's: %q", where, reply)
	}
	if refused(reply) {
		return
	}
	keyed := len(c.spec.Keys) > 0 || c.spec.Channels == command.ChannelPublish
	switch {
	case keyed && strings.Contains(t.name, "other") && !harmless(name):
		v.t.Errorf("%s: reaches the other tenant: %q", where, reply)
	case keyed && t.name == "global" && c.spec.IsWrite() && v.column.name != "application-global" && c.spec.Effect != command.EffectDerive && !harmless(name):
		v.t.Errorf("%s: writes into the global tenant: %q", where, reply)
	case keyed && !mayReadData[v.column.name] && !harmless(name):
		v.t.Errorf("%s: reaches data: %q", where, reply)
	case c.spec.IsWrite() && !mayChange[v.column.name]:
		v.t.Errorf("%s: changes data: %q", where, reply)
	}
	if v.way.name == "plain" {
		if v.found[name] == nil {
			v.found[name] = map[string][]string{}
		}
		v.found[name][v.column.name] = append(v.found[name][v.column.name], t.name)
	} else if !slices.Contains(v.found[name][v.column.name], t.name) && !strings.HasPrefix(reply, "-") {
		v.t.Errorf("%s: is possible, and by itself it is not: %q", where, reply)
	}
}

// harmless are commands that name a channel or a key and look at none.
func harmless(name string) bool {
	return name == "UNSUBSCRIBE" || name == "SUNSUBSCRIBE" || name == "PUBSUB|NUMSUB" || name == "PUBSUB|SHARDNUMSUB"
}
