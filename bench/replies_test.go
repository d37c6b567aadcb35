package main

import (
	"strings"
	"testing"
)

func TestRepliesAreCountedWhereverTheStreamIsCut(t *testing.T) {
	f := func(stream string, wantEnded, wantMisses int) {
		t.Helper()
		for cut := range len(stream) + 1 {
			var r replyCounter
			first, err1 := r.feed([]byte(stream[:cut]))
			second, err2 := r.feed([]byte(stream[cut:]))
			if err1 != nil || err2 != nil || first+second != wantEnded || r.misses != wantMisses {
				t.Errorf("%q cut at %d: %d replies, %d misses, errors %v, %v; want %d replies, %d misses",
					stream, cut, first+second, r.misses, err1, err2, wantEnded, wantMisses)
			}
		}
	}
	f("", 0, 0)
	f("+OK\r\n", 1, 0)
	f("+OK\r\n+OK\r\n:12\r\n", 3, 0)
	f("$5\r\nab\r\nc\r\n", 1, 0)
	f("$0\r\n\r\n+OK\r\n", 2, 0)
	f("$-1\r\n$1\r\nx\r\n$-1\r\n", 3, 2)
	f("+OK\r\n$3\r\nab", 1, 0)
	f("*2\r\n$1\r\na\r\n:1\r\n*0\r\n*-1\r\n", 3, 0)
	f("*2\r\n*2\r\n:1\r\n$-1\r\n+OK\r\n:1\r\n", 2, 1)
	f("+O", 0, 0)
}

func TestRepliesThatWereNotAskedForAreErrors(t *testing.T) {
	f := func(stream, want string) {
		t.Helper()
		var r replyCounter
		_, err := r.feed([]byte(stream))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got the error %v, want %s", stream, err, want)
		}
	}
	f("-NOAUTH Authentication required.\r\n", "a command was refused with NOAUTH")
	f("-POLICY phi: TENANT001:patient:1\r\n", "a command was refused with POLICY")
	f("*x\r\n", errReply.Error())
	f(">1\r\n+OK\r\n", errReply.Error())
	f("$x\r\n", errReply.Error())
	f("$-2\r\n", errReply.Error())
	f("+OK\n", errReply.Error())
	f("\r\n", errReply.Error())
	f(strings.Repeat("x", maxLine+1), errReply.Error())
}
