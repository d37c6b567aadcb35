package upstream_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A list that another gateway has replaced by a string is none any more, whatever this one remembers.
func TestPopOfWhatWasAList(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	g, other := joined(t, o), joined(t, o)
	for _, pop := range [][]string{{"LPOP", "k"}, {"RPOP", "k", "2"}, {"BLPOP", "k", "0"}} {
		g.do("RPUSH", "k", "a", "b")
		other.do("LLEN", "k")
		g.do("SET", "k", "v")
		other.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", pop...)
		g.expect("$1\r\nv\r\n", "GET", "k")
		g.do("DEL", "k")
	}
	if alarms := g.sink.takeAlarms() + other.sink.takeAlarms(); alarms != "" {
		t.Errorf("alarms: %s", alarms)
	}
}
