package upstream_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A pop of the first list among several keys takes from lists of any length without having all of them, and compares that the
// keys before it have none.
func TestPopOfTheFirstList(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.MaxLiftItems = 10
	g, other := joined(t, o), joined(t, o)
	for range 5 {
		g.do("RPUSH", "long", "a", "b", "c", "d")
	}
	other.do("LLEN", "long") // it knows the record
	for range 3 {
		g.expect("*2\r\n$4\r\nlong\r\n$1\r\na\r\n", "BLPOP", "none", "long", "later", "0")
		other.expect("*2\r\n$4\r\nlong\r\n$1\r\nd\r\n", "BRPOP", "none", "none", "long", "0")
		g.do("LPUSH", "long", "a")
		g.do("RPUSH", "long", "d")
	}
	g.do("RPUSH", "first", "x")
	other.expect("*2\r\n$5\r\nfirst\r\n$1\r\nx\r\n", "BLPOP", "first", "long", "0")
	g.expect(":0\r\n", "EXISTS", "first")
	g.do("SET", "first", "v")
	other.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "BLPOP", "first", "long", "0")
	g.expect("$1\r\nv\r\n", "GET", "first")
	g.expect(":20\r\n", "LLEN", "long")
	if alarms := g.sink.takeAlarms() + other.sink.takeAlarms(); alarms != "" {
		t.Errorf("alarms: %s", alarms)
	}
}
