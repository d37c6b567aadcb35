package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// Whatever a credential sends, in any number, order and place, is answered: it ends no process, and no handler fails by a fault of
// its own. In front of an upstream requests are kept until their round trip, so both are tried.
func TestAnythingIsAnswered(t *testing.T) {
	t.Parallel()
	t.Run("engine", func(t *testing.T) {
		t.Parallel()
		answersAnything(t, testkit.StartLethe(t, testkit.LetheOptions{Policy: singleTenant, Users: users(reader, "~* &* +@all")}))
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		p, _ := inFront(t, singleTenant)
		answersAnything(t, p.lethe)
	})
}

func answersAnything(t *testing.T, l *testkit.Lethe) {
	const perConnection = 40
	connections := 150
	if *long {
		connections = 10_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	l.Dial(t, reader).Do("FUNCTION", "LOAD", "REPLACE", marksLibrary)
	specs := slices.DeleteFunc(command.NewTable().Specs(), func(s *command.Spec) bool { return s.Run == nil || takesLong(s) })
	answered := 0
	for range connections {
		c := l.Dial(t, reader)
		var calls [][]string
		for len(calls) < perConnection {
			args := garbage(specs[r.IntN(len(specs))], r)
			switch r.IntN(24) {
			case 0, 1:
				args = append([]string{"EVAL", "return redis.pcall(unpack(ARGV))", "4", "key:1", "key:2", "key:3", "key:4"}, args...)
			case 2, 3:
				calls = append(calls, []string{"MULTI"}, args, garbage(specs[r.IntN(len(specs))], r))
				args = []string{"EXEC"}
			}
			calls = append(calls, args)
		}
		pipelined := r.IntN(2) == 0
		if pipelined {
			var all []byte
			for _, args := range calls {
				all = append(all, testkit.Command(args...)...)
			}
			c.Send(all)
		}
		for _, args := range calls {
			if !pipelined {
				c.Send(testkit.Command(args...))
			}
			if _, err := c.Receive(100 * time.Millisecond); err != nil {
				break // it waits, has no reply to come (CLIENT REPLY), or has ended the connection
			}
			answered++
		}
		c.Conn.Close()
		if failed := l.Metric(t, "lethe_handler_failures_total"); failed != 0 {
			t.Fatalf("a handler has failed by a fault of its own, by one of:\n%s", quoted(calls))
		}
	}
	if reply := l.Dial(t, reader).Do("PING"); string(reply.Str) != "PONG" {
		t.Error("the server does not answer any more")
	}
	if answered < connections*perConnection/4 {
		t.Errorf("%d of %d calls were answered: this shows little", answered, connections*perConnection)
	}
}

// takesLong reports whether a command keeps others from being answered, or takes away the user that the test is.
func takesLong(s *command.Spec) bool {
	return slices.Contains([]string{"CLIENT|PAUSE", "CLIENT|REPLY", "CLIENT|KILL", "ACL|SETUSER", "ACL|DELUSER", "QUIT", "WAIT", "WAITAOF"}, s.RecordName())
}

// garbage is a call of a command with words of its own and others', keys, numbers and nothing, in any order.
func garbage(s *command.Spec, r *rand.Rand) []string {
	words := []string{"", "0", "1", "-1", "2", "7", "1000000", "9223372036854775807", "-9223372036854775808", "1.5", "inf", "nan", "a", "m", "*", "+", "-", "$", ">", "1-1",
		"key:1", "key:2", "key:3", "key:4", "(1", "[a", "key:{1}", "EX", "MATCH", "COUNT", "LIMIT", "GET", "STREAMS", "FIELDS", "\x00\r\n"}
	for _, w := range strings.FieldsFunc(s.Syntax, func(c rune) bool { return strings.ContainsRune(" []|<>", c) }) {
		if w == strings.ToUpper(w) && w != "BLOCK" {
			words = append(words, w, w, w)
		}
	}
	args := strings.Split(s.RecordName(), "|")
	n := r.IntN(9)
	if r.IntN(2) == 0 { // as many as it takes
		n = max(s.Arity-len(args), -s.Arity-len(args)+r.IntN(3), 0)
	}
	for range n {
		w := words[r.IntN(len(words))]
		if r.IntN(20) == 0 {
			w = strings.Repeat(w, r.IntN(300))
		}
		args = append(args, w)
	}
	return args
}

func quoted(calls [][]string) string {
	var b strings.Builder
	for _, args := range calls {
		for _, a := range args {
			fmt.Fprintf(&b, "%s ", strconv.Quote(a))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
