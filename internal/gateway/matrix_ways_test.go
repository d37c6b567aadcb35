package gateway_test

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/gateway"
)

// way is how a call reaches the gateway. It returns the call's own reply, "" where the way does not take the call at all.
type way struct {
	name string
	run  func(w *world, s *gateway.Session, c *matrixCall, words []string) string
}

func ways() []way {
	return []way{{"plain", plainly}, {"pipeline", inPipeline}, {"MULTI", inTransaction}, {"script", inScript}}
}

func plainly(w *world, s *gateway.Session, _ *matrixCall, words []string) string {
	return w.aside(s, words...)
}

// inPipeline sends the call between two others, as one round. What waits is run alone, as the server does.
func inPipeline(w *world, s *gateway.Session, c *matrixCall, words []string) string {
	if c.spec.Group == "scripting" || c.spec.Categories&command.CatConnection != 0 {
		return ""
	}
	w.worker.Begin()
	w.worker.Run(s, [][]byte{[]byte("PING")})
	from := w.worker.Out.Len()
	w.worker.Run(s, arguments(words))
	to := w.worker.Out.Len()
	w.worker.Run(s, [][]byte{[]byte("PING")})
	reply := string(w.worker.Out.Bytes()[from:to])
	if err := w.worker.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.worker.Out.Reset()
	return reply
}

// inTransaction queues the call and runs it; what is not queued, or runs at once, is not of this way.
func inTransaction(w *world, s *gateway.Session, c *matrixCall, words []string) string {
	if c.spec.Group == "transactions" || c.spec.Flags&command.NoMulti != 0 || c.spec.Categories&command.CatConnection != 0 {
		return ""
	}
	if reply := w.aside(s, "MULTI"); refused(reply) {
		return reply
	}
	if reply := w.aside(s, words...); refused(reply) {
		if got := w.aside(s, "EXEC"); !strings.HasPrefix(got, "-EXECABORT") {
			w.t.Errorf("%s is refused, and EXEC runs: %q", c, got)
		}
		return reply
	}
	return strings.TrimPrefix(w.aside(s, "EXEC"), "*1\r\n")
}

// inScript lets a script make the call. The error of a call that scripts may not make is no refusal of this user's.
func inScript(w *world, s *gateway.Session, c *matrixCall, words []string) string {
	if c.spec.Flags&command.NoScript != 0 {
		return ""
	}
	return w.aside(s, append([]string{"EVAL", "return redis.pcall(unpack(ARGV))", "0"}, words...)...)
}

func arguments(words []string) (args [][]byte) {
	for _, word := range words {
		args = append(args, []byte(word))
	}
	return args
}

// refused reports whether a reply says that the user may not.
func refused(reply string) bool {
	for _, prefix := range []string{"-NOPERM", "-TENANT", "-NOAUTH", "-POLICY", "-EXECABORT Transaction discarded because of", "-ERR The user executing the script can't"} {
		if strings.HasPrefix(reply, prefix) {
			return true
		}
	}
	return false
}
