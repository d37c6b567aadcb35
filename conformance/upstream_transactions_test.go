package conformance

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// counter is a client that counts in transactions: it watches a number, and writes the next one under two names and into a list.
type counter struct {
	c                    *testkit.Client
	number, copied, list string
	counted              int64
}

func newCounter(c *testkit.Client, tag string) *counter {
	name := "TENANT001:patient:{" + tag + "}"
	return &counter{c: c, number: name + "number", copied: name + "copied", list: name + "list"}
}

// turn counts once, unless somebody else was faster, and says what is wrong with what it was answered.
func (n *counter) turn() (problem string) {
	n.c.Do("WATCH", n.number)
	was := n.c.Do("GET", n.number)
	before, _ := strconv.ParseInt(string(was.Str), 10, 64)
	next := strconv.FormatInt(before+1, 10)
	for _, call := range [][]string{{"MULTI"}, {"SET", n.number, next}, {"SET", n.copied, next}, {"RPUSH", n.list, next}, {"GET", n.copied}} {
		n.c.Do(call...)
	}
	done := n.c.Do("EXEC")
	switch {
	case was.IsError() || done.IsError():
		return fmt.Sprintf("refused: %s, %s", show(was.Raw), show(done.Raw))
	case done.Null:
		return ""
	case len(done.Elems) != 4 || done.Elems[2].Int != before+1 || string(done.Elems[3].Str) != next:
		return fmt.Sprintf("counted to %s: %s", next, show(done.Raw))
	}
	n.counted++
	return ""
}

// look reads all that the transactions write, and says what of it is of different ones.
func (n *counter) look() (number int64, problem string) {
	for _, call := range [][]string{{"MULTI"}, {"GET", n.number}, {"GET", n.copied}, {"LINDEX", n.list, "-1"}, {"LLEN", n.list}} {
		n.c.Do(call...)
	}
	all := n.c.Do("EXEC")
	if len(all.Elems) != 4 {
		return 0, fmt.Sprintf("read: %s", show(all.Raw))
	}
	text := string(all.Elems[0].Str)
	number, _ = strconv.ParseInt(text, 10, 64)
	if string(all.Elems[1].Str) != text || string(all.Elems[2].Str) != text || all.Elems[3].Int != number {
		return number, fmt.Sprintf("half of a transaction: %s", show(all.Raw))
	}
	return number, ""
}

// countsWhile has clients of several gateways count while something happens: each transaction that was acknowledged has counted once,
// none is refused, and nobody sees half of one.
func countsWhile(t *testing.T, gateways []*testkit.Lethe, happens func()) {
	t.Helper()
	var clients sync.WaitGroup
	stop := make(chan struct{})
	var all []*counter
	const tags = 10
	for i := range tags * len(gateways) {
		n := newCounter(gateways[i/tags].Dial(t, reader), fmt.Sprint(i%tags))
		all = append(all, n)
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				problem := n.turn()
				if problem == "" && i%5 == 0 {
					_, problem = n.look()
				}
				if problem != "" {
					t.Error(problem)
					return
				}
			}
		})
	}
	happens()
	close(stop)
	clients.Wait()
	for i := range tags {
		counted := int64(0)
		for at := i; at < len(all); at += tags {
			counted += all[at].counted
		}
		if number, problem := all[i].look(); problem != "" || number != counted || number == 0 {
			t.Errorf("%d were acknowledged, %d counted; %s", counted, number, problem)
		}
	}
}
