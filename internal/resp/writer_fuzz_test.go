package resp_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// script is a source of choices for building replies.
type script []byte

func (s *script) next() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

// reply writes one reply that the script chooses, up to depth levels deep, and returns what show must make of it.
func reply(w *resp.Writer, s *script, depth int) string {
	pick := func(in2, in3 string) string {
		if w.RESP3() {
			return in3
		}
		return in2
	}
	choice := s.next() % 14
	n := int(s.next() % 12)
	text := strings.Repeat(string(rune('a'+n)), n)
	if depth == 0 && choice >= 10 {
		choice -= 10
	}
	switch choice {
	case 0:
		w.Null()
		return pick("$null", "_null")
	case 1:
		w.Status(text)
		return fmt.Sprintf("+%q", text)
	case 2:
		w.Error("ERR\r" + text)
		return fmt.Sprintf("-%q", "ERR "+text)
	case 3:
		w.Int(int64(n) - 5)
		return fmt.Sprintf(":%d", n-5)
	case 4:
		w.Bulk([]byte(text + "\r\n"))
		return fmt.Sprintf("$%q", text+"\r\n")
	case 5:
		w.Bool(n > 5)
		value := 0
		if n > 5 {
			value = 1
		}
		return pick(fmt.Sprintf(":%d", value), fmt.Sprintf("#%d", value))
	case 6:
		w.Double(float64(n) / 8)
		return fmt.Sprintf(pick("$%q", ",%q"), resp.AppendDouble(nil, float64(n)/8))
	case 7:
		w.Verbatim("txt", []byte(text))
		return pick(fmt.Sprintf("$%q", text), fmt.Sprintf("=%q", "txt:"+text))
	case 8:
		w.BigNumber("-12")
		return pick(`$"-12"`, `("-12"`)
	case 9:
		w.NullArray()
		return pick("*null", "_null")
	}
	return aggregate(w, s, choice-10, n, depth, pick)
}

func aggregate(w *resp.Writer, s *script, kind byte, n, depth int, pick func(in2, in3 string) string) string {
	marker := pick("*", [...]string{"*", "%", "~", ">"}[kind])
	deferred := s.next()%2 == 0 && kind < 3
	var m resp.Mark
	if deferred {
		m = w.DeferredArray()
	} else {
		[...]func(int){w.Array, w.Map, w.Set, w.Push}[kind](n)
	}
	count := n
	if kind == 1 {
		count *= 2
	}
	var elems []string
	for range count {
		elems = append(elems, reply(w, s, depth-1))
	}
	if deferred {
		[...]func(resp.Mark, int){w.SetArrayLen, w.SetMapLen, w.SetSetLen}[kind](m, n)
	}
	return marker + "[" + strings.Join(elems, " ") + "]"
}

func FuzzWriterRoundTrip(f *testing.F) {
	for choice := range byte(14) {
		f.Add([]byte{choice, 3, 0, choice, 5, 1, 4, 7, 13, 2}, true)
		f.Add([]byte{choice, 11, 1, choice, 2, 0, 12, 1, 0, 11, 4, 0}, false)
	}
	f.Fuzz(func(t *testing.T, choices []byte, resp3 bool) {
		if len(choices) > 200 {
			return
		}
		w := resp.NewWriter(0)
		w.SetRESP3(resp3)
		s := script(choices)
		var want []string
		for len(s) > 0 {
			want = append(want, reply(w, &s, 3))
		}
		r := resp.NewReader(bytes.NewReader(w.Bytes()), resp.DefaultReplyLimits())
		for i, line := range want {
			v, err := r.Read()
			if err != nil || show(v) != line {
				t.Fatalf("reply %d: got %s and %v, want %s", i, show(v), err, line)
			}
		}
		if _, err := r.Read(); err != io.EOF {
			t.Fatalf("after the last reply: %v", err)
		}
		left := whole(w)
		w.Reset()
		if !isClear(left) {
			t.Fatal("resetting left a copy")
		}
	})
}
