package conformance

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// malformed are requests that break the protocol, or come near to it. After each, both servers say the same and either
// both or neither close the connection.
func malformed() map[string]string {
	set := "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
	return map[string]string{
		"count of no number":            "*abc\r\n",
		"negative count":                "*-1\r\nPING\r\n",
		"very negative count":           "*-2147483648\r\nPING\r\n",
		"count of zero":                 "*0\r\nPING\r\n",
		"count too large":               "*2147483648\r\n",
		"count beyond 64 bits":          "*99999999999999999999\r\n",
		"count with a space":            "* 1\r\n$4\r\nPING\r\n",
		"count with a plus":             "*+1\r\n$4\r\nPING\r\n",
		"count with a leading zero":     "*01\r\n$4\r\nPING\r\n",
		"count without digits":          "*\r\nPING\r\n",
		"negative length":               "*1\r\n$-1\r\n",
		"very negative length":          "*1\r\n$-9223372036854775808\r\n",
		"length of no number":           "*1\r\n$abc\r\n",
		"length too large":              "*1\r\n$536870913\r\n",
		"length beyond 64 bits":         "*1\r\n$99999999999999999999\r\n",
		"length without digits":         "*1\r\n$\r\n",
		"length with a plus":            "*1\r\n$+4\r\nPING\r\n",
		"no length":                     "*1\r\nPING\r\n",
		"integer in place of a length":  "*1\r\n:1\r\n",
		"array in place of a length":    "*1\r\n*1\r\n$4\r\nPING\r\n",
		"empty name":                    "*1\r\n$0\r\n\r\n",
		"good, then bad":                "PING\r\n" + set + "*1\r\n$-5\r\n",
		"bad, then good":                "*x\r\nPING\r\n",
		"wrong end of a bulk":           "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
		"line feed in place of CRLF":    "*1\n$4\nPING\n",
		"inline":                        "PING\r\n",
		"inline with line feed":         "PING\nPING\n",
		"inline with arguments":         "SET k v\r\nGET k\r\n",
		"inline with quotes":            "ECHO \"a b\\x41\\n\"\r\nECHO 'it''s'\r\n",
		"inline with single quotes":     "ECHO 'it\\'s'\r\n",
		"inline with unbalanced quotes": "ECHO \"abc\r\nPING\r\n",
		"inline, quote inside a word":   "ECHO a\"b\"c\r\nPING\r\n",
		"inline, text after a quote":    "ECHO \"a\"b\r\nPING\r\n",
		"inline, only spaces":           "   \r\nPING\r\n",
		"inline, empty lines":           "\r\n\r\n\nPING\r\n",
		"inline, tabs":                  "ECHO\thello\r\n",
		"inline too long":               strings.Repeat("A", 70000),
		"count line too long":           "*" + strings.Repeat("1", 70000),
		"length line too long":          "*1\r\n$" + strings.Repeat("1", 70000),
		"RESP3 types as a request":      "%1\r\n+a\r\n+b\r\n",
		"pipeline":                      strings.Repeat(set, 100) + "PING\r\n",
		"upper and lower":               "*1\r\n$4\r\npInG\r\n",
		"nothing but a star":            "*",
		"half a frame":                  "*2\r\n$4\r\nECHO\r\n$10\r\nabc",
		"half a length":                 "*2\r\n$4\r\nECHO\r\n$1",
		"binary":                        "\x16\x03\x01\x02\x00\x01\x00\x01",
	}
}

// unnamed finds names that Lethe does not repeat: the exception no-echo.
var unnamed = regexp.MustCompile(`unknown command '([^']*[^'A-Za-z0-9_|.-][^']*|)'`)

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	var all sync.WaitGroup
	for name, request := range malformed() {
		redis, lethe := p.redis.Dial(t), p.lethe.Dial(t, reader)
		all.Go(func() {
			if problem := sameAnswer(redis, lethe, []byte(request)); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
		})
	}
	all.Wait()
}

// sameAnswer sends bytes to both servers and compares everything that they say to it. All cases wait at the same time. Both answer
// at once, and when nothing more has come for a while that was all; where it is not the same, one of them may be late, on a busy machine.
func sameAnswer(redis, lethe *testkit.Client, request []byte) string {
	redis.Send(request)
	lethe.Send(request)
	var redisSaid, letheSaid []byte
	var redisClosed, letheClosed bool
	more := func(from *testkit.Client, silence time.Duration, said *[]byte, closed *bool) {
		if !*closed {
			rest, ended := from.Rest(silence)
			*said, *closed = append(*said, rest...), ended
		}
	}
	for _, silence := range []time.Duration{3 * time.Second, patience / 2} {
		more(redis, silence, &redisSaid, &redisClosed)
		more(lethe, silence, &letheSaid, &letheClosed)
		if bytes.Equal(unnamed.ReplaceAll(redisSaid, []byte("unknown command '?'")), letheSaid) && redisClosed == letheClosed {
			return ""
		}
	}
	return fmt.Sprintf("redis %s closed=%t\n    lethe %s closed=%t", show(redisSaid), redisClosed, show(letheSaid), letheClosed)
}

// A request that arrives byte by byte is the same request.
func TestSplitRequests(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	d := p.dial(t, "2")
	request := []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nv\r\nvv\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\nECHO \"a b\"\r\n")
	for _, b := range request {
		d.lethe.Send([]byte{b})
	}
	d.redis.Send(request)
	for range 4 {
		want, err := d.redis.Receive(patience)
		if err != nil {
			t.Fatal(err)
		}
		have, err := d.lethe.Receive(patience)
		if err != nil || !bytes.Equal(want.Raw, have.Raw) {
			t.Errorf("redis %s, lethe %s (%v)", show(want.Raw), show(have.Raw), err)
		}
	}
}
