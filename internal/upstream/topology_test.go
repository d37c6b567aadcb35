package upstream

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

func clustered(t testing.TB) *Upstream {
	u, err := New(Options{Mode: Cluster, Addresses: []string{"127.0.0.1:1"}, PlainText: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// slotRows is an answer to CLUSTER SLOTS with a node for each slot, the first ones again where there are more nodes than slots.
func slotRows(nodes int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", nodes)
	for i := range nodes {
		port := 1 + i%60_000
		fmt.Fprintf(&b, "*3\r\n:%d\r\n:%d\r\n*2\r\n$%d\r\n%s\r\n:%d\r\n", i%slots, i%slots, len("127.0.0.1"), "127.0.0."+strconv.Itoa(1+i/60_000), port)
	}
	return b.Bytes()
}

// A cluster that names more nodes than there can be is not believed: each would be dialled, and remembered.
func TestMoreNodesThanThereCanBe(t *testing.T) {
	t.Parallel()
	u := clustered(t)
	f := func(nodes int, want bool) {
		t.Helper()
		all, err := readAll(bytes.NewReader(slotRows(nodes)), 64<<20)
		if len(all) != 1 {
			t.Fatal(err)
		}
		if _, n, err := u.readSlots(&all[0], "127.0.0.1"); (err == nil) != want || want && n != nodes {
			t.Errorf("%d nodes: %d slots, %v", nodes, n, err)
		}
	}
	f(1, true)
	f(1000, true)
	f(maxNodes, true)
	f(maxNodes+1, false)
	f(70_000, false)
}

// Addresses that an upstream makes up are not remembered without end.
func TestAddressesThatAreRemembered(t *testing.T) {
	t.Parallel()
	u := clustered(t)
	for i := range 3 * maxBreakers {
		u.breaker("127.0.0.1:" + strconv.Itoa(i))
	}
	if n := len(u.breakers); n > maxBreakers {
		t.Errorf("%d addresses are remembered", n)
	}
}

// FuzzReadSlots: whatever a node says of the cluster, each slot has a node that may be spoken to, or none.
func FuzzReadSlots(f *testing.F) {
	f.Add(slotRows(3))
	f.Add([]byte("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:7000\r\n$1\r\nx\r\n"))
	f.Add([]byte("*1\r\n*3\r\n:-1\r\n:99999\r\n*2\r\n$1\r\n?\r\n:-7\r\n"))
	f.Add([]byte("*1\r\n*4\r\n$2\r\n00\r\n*1\r\n:1\r\n*2\r\n$-1\r\n*-1\r\n:1\r\n"))
	u := clustered(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		all, _ := readAll(bytes.NewReader(b), 1<<16)
		for i := range all {
			l, covered, err := u.readSlots(&all[i], "127.0.0.1")
			if err != nil {
				continue
			}
			n := 0
			for slot := range slots {
				address := l.nodeOf(slot)
				if address == "" {
					continue
				}
				n++
				host, _, err := net.SplitHostPort(address)
				if err != nil || host != "localhost" && !strings.HasPrefix(host, "127.") && host != "::1" && !net.ParseIP(host).IsLoopback() {
					t.Fatalf("a slot is at %q", address)
				}
			}
			if n != covered {
				t.Errorf("%d slots have nodes, %d are told", n, covered)
			}
		}
	})
}
