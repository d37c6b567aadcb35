package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// change is a way to write an entry again and again: its n-th state is known, so that whoever reads can tell which it is.
type change struct {
	name string
	kind string // of its key, as the policy knows it; "" for a patient's
	// calls make the n-th state, the first is 1, of the former one or whatever was there.
	calls func(key string, n int) [][]string
	read  func(key string) []string
	want  func(n int) string // what reading says; "" for nothing
}

// state is the value of the n-th state.
func state(n int) string { return fmt.Sprintf("state %d %s", n, strings.Repeat("x", n%300)) }

func changes() []change {
	get := func(key string) []string { return []string{"GET", key} }
	return append(transactions()[:1], []change{
		{"string", "", func(key string, n int) [][]string { return [][]string{{"SET", key, state(n)}} }, get, state},
		{"shortened", "", func(key string, n int) [][]string { // each in a slice of deadlines of its own
			return [][]string{{"SET", key, state(n), "PX", strconv.Itoa(60_000 + n%20*10_000)}}
		}, get, state},
		{"deleted", "", func(key string, n int) [][]string {
			if n%2 == 0 {
				return [][]string{{"DEL", key}}
			}
			return [][]string{{"SET", key, state(n)}}
		}, get, func(n int) string {
			if n%2 == 0 {
				return ""
			}
			return state(n)
		}},
		{"hash", "", func(key string, n int) [][]string { return [][]string{{"HSET", key, "f", state(n), "g", "v"}} },
			func(key string) []string { return []string{"HGET", key, "f"} }, state},
		{"list", "", func(key string, n int) [][]string {
			if n == 1 {
				return [][]string{{"RPUSH", key, state(n)}}
			}
			return [][]string{{"LSET", key, "0", state(n)}}
		}, func(key string) []string { return []string{"LINDEX", key, "0"} }, state},
		{"moved", "", func(key string, n int) [][]string {
			return [][]string{{"RPUSH", key + ":from", state(n)}, {"LMOVE", key + ":from", key, "LEFT", "LEFT"}, {"LTRIM", key, "0", "9"}}
		}, func(key string) []string { return []string{"LINDEX", key, "0"} }, state},
		{"sorted set", "", func(key string, n int) [][]string { return [][]string{{"ZADD", key, strconv.Itoa(n), "m"}} },
			func(key string) []string { return []string{"ZSCORE", key, "m"} }, strconv.Itoa},
		{"renamed", "", func(key string, n int) [][]string {
			return [][]string{{"SET", key + ":new", state(n)}, {"RENAME", key + ":new", key}}
		}, get, state},
		{"appended", "", func(key string, n int) [][]string { return [][]string{{"APPEND", key, "."}} },
			func(key string) []string { return []string{"STRLEN", key} }, strconv.Itoa},
		{"deadline", "", func(key string, n int) [][]string {
			return [][]string{{"SET", key, state(n)}, {"EXPIRE", key, strconv.Itoa(100 + n%100)}}
		}, get, state},
	}...)
}

// changing is one entry that is changed over a connection until that breaks, and how far it came.
type changing struct {
	change
	key          string
	acked, tried int
}

// keepChanging changes entries, a pipeline for all of them at a time, until the connection breaks. begun is closed when some
// changes were acknowledged, or none will be.
func keepChanging(c *testkit.Client, all []*changing, begun chan<- struct{}) {
	var begin sync.Once
	defer begin.Do(func() { close(begun) })
	pause := time.NewTicker(2 * time.Millisecond) // a load, not a flood: every command has records that are read again
	defer pause.Stop()
	for n := 1; ; n++ {
		if n > 5 {
			begin.Do(func() { close(begun) })
		}
		<-pause.C
		var batch []byte
		replies := make([]int, len(all))
		for i, x := range all {
			x.tried = n
			for _, call := range x.calls(x.key, n) {
				batch = append(batch, testkit.Command(call...)...)
				replies[i]++
			}
		}
		c.Send(batch)
		for i, x := range all {
			for range replies[i] {
				if got, err := c.Receive(patience); err != nil || got.IsError() {
					return
				}
			}
			x.acked = n
		}
	}
}

// check reads the entry: it is as it was when it was acknowledged last, or as something that was sent later made it, or it is
// not there: a cache may miss. It reports whether it is as it should be.
func (x *changing) check(on *testkit.Client) (there bool, problem string) {
	got := answer(on, "", x.read(x.key)...)
	text := string(got.Str)
	if got.Type == ':' {
		text = strconv.FormatInt(got.Int, 10)
	}
	if len(got.Elems) > 0 {
		text = string(got.Elems[0].Str)
		for _, e := range got.Elems {
			if string(e.Str) != text {
				return true, fmt.Sprintf("%s: the two halves of a transaction differ after state %d of %d", x.name, x.acked, x.tried)
			}
		}
	}
	if text == "" || got.Type == ':' && got.Int == 0 {
		if got.IsError() {
			return false, x.name + ": " + string(got.Str)
		}
		for n := x.acked; n <= x.tried; n++ {
			if n == 0 || x.want(n) == "" {
				return true, "" // as it should be
			}
		}
		return false, ""
	}
	for n := max(x.acked, 1); n <= x.tried; n++ {
		if text == x.want(n) {
			return true, ""
		}
	}
	return true, fmt.Sprintf("%s: state %d was acknowledged and %d sent, and it is: %.30s", x.name, x.acked, x.tried, text)
}
