package script_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// TestFunctions loads every library of testdata/functions.lua into a redis-server and here, calls its function f when there
// is one, and compares the replies. A library begins with a line "-- name"; one whose name begins with "~" differs.
func TestFunctions(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	theirs, ours := server.connect(t), server.connect(t)
	e := script.New(script.DefaultLimits())
	text, err := os.ReadFile("testdata/functions.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
		name, code, _ := strings.Cut(part, "\n")
		code = strings.TrimSuffix(code, "\n")
		differs := strings.HasPrefix(name, "~")
		for _, resp3 := range []bool{false, true} {
			theirs.do("FLUSHALL")
			theirs.do("FUNCTION", "FLUSH")
			theirs.SetRESP3(resp3)
			want := string(theirs.do("FUNCTION", "LOAD", code)) + string(theirs.do("FCALL", "f", "1", "k1", "a1", "a2"))
			theirs.do("FLUSHALL")
			ours.SetRESP3(false)
			got := ours.fcall(e, resp3, code)
			if same := got == want; same == differs {
				t.Errorf("%s (RESP3 %v):\n%s\ngot  %q\nwant %q", name, resp3, code, got, want)
			}
		}
	}
}

// fcall loads a library and calls its function f.
func (c *client) fcall(e *script.Engine, resp3 bool, code string) string {
	w := resp.NewWriter(0)
	w.SetRESP3(resp3)
	set := e.NewFunctions(script.DefaultFunctionBytes)
	if name, err := set.Load([]byte(code), false); err != nil {
		w.Error(err.Error())
	} else {
		w.BulkString(name)
	}
	if f := set.Find([]byte("f")); f == nil {
		w.Error(script.MsgNoFunction)
	} else {
		e.NewRun(c).Call(f, slices([]string{"k1"}), slices([]string{"a1", "a2"}), w)
	}
	return string(w.Bytes())
}

// A client may send anything as a name, and what is on the heap stays there until the collector comes.
func TestNoCopyOfANameIsMade(t *testing.T) {
	set := script.New(script.DefaultLimits()).NewFunctions(script.DefaultFunctionBytes)
	name := []byte("A-NAME-THAT-NO-FUNCTION-HAS-AND-THAT-IS-LONG-ENOUGH")
	if n := testing.AllocsPerRun(100, func() { set.Find(name) }); n != 0 {
		t.Errorf("finding a function allocates %v times", n)
	}
}

func TestFunctionsSet(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	set := e.NewFunctions(1000)
	library := func(name, function, more string) []byte {
		return []byte("#!lua name=" + name + "\nredis.register_function('" + function + "', function() return 1 end)" + more)
	}
	load := func(code []byte, replace bool, want string) {
		t.Helper()
		got := ""
		if _, err := set.Load(code, replace); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	load(library("a", "f", ""), false, "")
	load(library("a", "g", ""), false, "ERR Library 'a' already exists")
	load(library("b", "f", ""), false, "ERR Function f already exists")
	load(library("a", "g", ""), true, "")
	load(library("b", "f", ""), false, "")
	load(library("a", "f", ""), true, "ERR Function f already exists")
	load(library("c", "h", strings.Repeat(" ", 1000)), false, "QUOTA the function libraries of this tenant take too much memory")
	if libraries, functions := set.Count(); libraries != 2 || functions != 2 {
		t.Errorf("%d libraries, %d functions", libraries, functions)
	}
	if !set.Delete([]byte("a")) || set.Delete([]byte("a")) || set.Find([]byte("g")) != nil {
		t.Error("Delete does not delete")
	}
	dump := set.Dump()
	set.Flush()
	if set.Find([]byte("f")) != nil {
		t.Error("Flush does not flush")
	}
	restore := func(policy script.RestorePolicy, want string) {
		t.Helper()
		got := ""
		if err := set.Restore(dump, policy); err != nil {
			got = err.Error()
		}
		if got != want || set.Find([]byte("f")) == nil {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	restore(script.RestoreAppend, "")
	restore(script.RestoreAppend, "ERR Library b already exists")
	restore(script.RestoreReplace, "")
	restore(script.RestoreFlush, "")
	dump[3] ^= 1
	restore(script.RestoreFlush, "ERR DUMP payload version or checksum are wrong")
}

// TestDumpsAreRedis gives Redis's dumps to Lethe, compressed ones too, and Lethe's to Redis.
func TestDumpsAreRedis(t *testing.T) {
	t.Parallel()
	c := startRedis(t).connect(t)
	e := script.New(script.DefaultLimits())
	for _, filler := range []string{"", strings.Repeat("-- again and again\n", 300), strings.Repeat("-- x", 20000)} {
		code := "#!lua name=lib\n" + filler + "\nredis.register_function('f', function() return 42 end)"
		if got := string(c.do("FUNCTION", "LOAD", "REPLACE", code)); got != "$3\r\nlib\r\n" {
			t.Fatalf("got %.100q", got)
		}
		_, dump, _ := strings.Cut(string(c.do("FUNCTION", "DUMP")), "\r\n")
		set := e.NewFunctions(script.DefaultFunctionBytes)
		if err := set.Restore([]byte(strings.TrimSuffix(dump, "\r\n")), script.RestoreAppend); err != nil {
			t.Errorf("cannot restore what Redis dumped: %v", err)
		}
		if l := set.Libraries(); len(l) != 1 || string(l[0].Code) != code {
			t.Errorf("restored %d libraries", len(l))
		}
		c.do("FUNCTION", "FLUSH")
		if got := string(c.do("FUNCTION", "RESTORE", string(set.Dump()))); got != "+OK\r\n" {
			t.Errorf("Redis says %q", got)
		}
	}
}

func FuzzRestore(f *testing.F) {
	e := script.New(script.DefaultLimits())
	set := e.NewFunctions(script.DefaultFunctionBytes)
	if _, err := set.Load([]byte("#!lua name=lib\nredis.register_function('f', function() return 42 end)"), false); err != nil {
		f.Fatal(err)
	}
	f.Add(set.Dump()[:20])
	f.Add([]byte("\xf5\xc3\x05\x20\x1f#!lua"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = e.NewFunctions(1<<16).Restore(script.Seal(body), script.RestoreAppend)
	})
}
