package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// tableException is a command whose COMMAND INFO differs from the reference's in one aspect, and why.
type tableException struct{ command, aspect, why string }

// tableExceptions lists every difference that TestTableAsRedis knows of.
func tableExceptions() []tableException {
	return []tableException{
		{"command|getkeys", "arity", "7.0 wants two arguments of the call, which refuses calls with one; 7.2 mended it"},
		{"command|getkeysandflags", "arity", "7.0 wants two arguments of the call, which refuses calls with one; 7.2 mended it"},
		{"msetnx", "tips", "the reference's tip has cluster clients split the call over shards, and it is all or nothing"},
		{"pfcount", "key specifications", "the reference says that it writes, for the count that it keeps in the value; that would keep readers of the global tenant from it"},
		{"pfdebug", "key specifications", "the reference does not say that it updates its key"},
		{"sort", "key specifications", "the reference calls the place of STORE's key unknown and lists the keys that BY and GET make"},
		{"sort_ro", "key specifications", "the reference lists the keys that BY and GET make"},
		{"zrank", "arity", "WITHSCORE came with 7.2"},
		{"zrevrank", "arity", "WITHSCORE came with 7.2"},
	}
}

// aspects are what COMMAND INFO says of a command, in its order.
var aspects = [...]string{"name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specifications"}

// Every command of the table that the reference has is described as the reference describes it, in both protocols:
// clients route, cache and check permissions by it.
func TestTableAsRedis(t *testing.T) {
	t.Parallel()
	bothProtocols(t, startPair(t), func(t *testing.T, d *duo) {
		used := map[tableException]bool{}
		ours := d.lethe.Do("COMMAND")
		if len(ours.Elems) < 100 {
			t.Fatalf("COMMAND describes %d commands", len(ours.Elems))
		}
		for _, c := range ours.Elems {
			d.compareInfo(t, &c, used)
		}
		for _, e := range tableExceptions() {
			if !used[e] {
				t.Errorf("%s agrees with the reference in its %s: the exception is not needed", e.command, e.aspect)
			}
		}
	})
}

// compareInfo compares a command and its subcommands; those that the reference does not have are left out.
func (d *duo) compareInfo(t *testing.T, ours *resp.Value, used map[tableException]bool) {
	t.Helper()
	name := string(ours.Elems[0].Str)
	theirs := d.redis.Do("COMMAND", "INFO", name).Elems[0]
	if !theirs.Null {
		for i, aspect := range aspects {
			got, want := described(&ours.Elems[i]), described(&theirs.Elems[i])
			if got == want {
				continue
			}
			if e := exceptionOf(name, aspect); e != nil {
				used[*e] = true
				continue
			}
			t.Errorf("%s of %s:\n    lethe: %s\n    redis: %s", aspect, name, got, want)
		}
	}
	for i := range ours.Elems[len(aspects)].Elems {
		d.compareInfo(t, &ours.Elems[len(aspects)].Elems[i], used)
	}
}

func exceptionOf(name, aspect string) *tableException {
	for _, e := range tableExceptions() {
		if e.command == name && e.aspect == aspect {
			return &e
		}
	}
	return nil
}

// described writes a value as text with the elements of lists of words in order: they are sets, whatever the protocol.
// The order of key specifications and of fields counts. Notes are texts of either side's own.
func described(v *resp.Value) string {
	if len(v.Elems) == 0 {
		if v.Str != nil {
			return string(v.Str)
		}
		return fmt.Sprint(v.Int)
	}
	words, isWords := make([]string, 0, len(v.Elems)), true
	for i := 0; i < len(v.Elems); i++ {
		e := &v.Elems[i]
		if string(e.Str) == "notes" {
			i++
			continue
		}
		isWords = isWords && len(e.Elems) == 0 && e.Str != nil
		words = append(words, described(e))
	}
	if isWords {
		slices.Sort(words)
	}
	return "(" + strings.Join(words, " ") + ")"
}

// The documentation of every command has the shape that redis-cli makes its hints from.
func TestDocsHaveTheShapeOfRedis(t *testing.T) {
	t.Parallel()
	lethe := testkit.StartLethe(t, testkit.LetheOptions{})
	c := lethe.Dial(t, "app")
	docs := c.Do("COMMAND", "DOCS")
	if len(docs.Elems) < 200 {
		t.Fatalf("COMMAND DOCS has %d elements", len(docs.Elems))
	}
	for i := 1; i < len(docs.Elems); i += 2 {
		fields := docs.Elems[i].Elems
		for j, want := range []string{"summary", "since", "group", "complexity"} {
			if string(fields[2*j].Str) != want || len(fields[2*j+1].Str) == 0 {
				t.Errorf("%s: field %d is %q", docs.Elems[i-1].Str, j, fields[2*j].Str)
			}
		}
	}
}
