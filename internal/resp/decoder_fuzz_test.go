package resp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// streams are the seeds of both fuzz tests of the decoder.
var streams = []string{
	ping, "PING\r\n", "*0\r\n*-1\r\n\r\n\n", "*1\r\n$-1\r\n", "*1\rX$4\rXPINGXX" + ping, "*1\r\nX\r\n", "*01\r\n",
	"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\n0123456789\r\n",
	"*1048576\r\n$536870912\r\n", "*11\r\n", "*1\r\n$16385\r\n", "*9223372036854775808\r\n", "*1\r\n$00\r\n\r\n",
	`SET "a\x41\n" 'b\'c' d"e f"` + "\r\n", `ECHO "a"b` + "\n", "a\x00b\n", strings.Repeat("a ", 40) + "\n",
	"*" + strings.Repeat("1", 100), strings.Repeat("a", 100), "*3\r\n$1\r\na\r\n$1\r\nb\r\n$30\r\n",
}

// narrow makes every limit reachable within a few bytes.
func narrow() resp.Limits {
	return resp.Limits{Args: 4, BulkBytes: 16, InlineBytes: 40, RequestBytes: 60}
}

func FuzzDecoder(f *testing.F) {
	for _, s := range streams {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		for _, l := range []resp.Limits{resp.DefaultLimits(), resp.UnauthenticatedLimits(), narrow()} {
			decode(t, l, stream)
			d := resp.NewDecoder(l)
			for buf := []byte(stream); len(buf) > 0; {
				args, n, err := d.Next(buf, nil)
				if err != nil {
					break
				}
				if len(args) > l.Args || n > max(l.RequestBytes, l.InlineBytes+1) {
					t.Fatalf("%d arguments, %d bytes", len(args), n)
				}
				for _, a := range args {
					if len(a) > max(l.BulkBytes, l.InlineBytes) {
						t.Fatalf("argument of %d bytes", len(a))
					}
				}
				buf = buf[n:]
			}
		}
	})
}

func FuzzDecoderSplit(f *testing.F) {
	for _, s := range streams {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		if len(stream) > 512 {
			return
		}
		for _, l := range []resp.Limits{resp.UnauthenticatedLimits(), narrow()} {
			whole := decode(t, l, stream)
			checkSplits(t, l, stream, whole)
			thirds := decode(t, l, stream, len(stream)/3, 2*len(stream)/3)
			if !slices.Equal(whole, thirds) {
				t.Errorf("%q in thirds: %q, whole: %q", stream, thirds, whole)
			}
		}
	})
}
