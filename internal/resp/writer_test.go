package resp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

func isClear(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// whole is all the memory of the writer, its unused capacity included.
func whole(w *resp.Writer) []byte { return w.Bytes()[:cap(w.Bytes())] }

func TestWriterClearsWhatItLeaves(t *testing.T) {
	t.Parallel()
	secret := []byte(strings.Repeat("secret", 50))

	w := resp.NewWriter(0)
	w.Bulk(secret)
	left := whole(w)
	for cap(w.Bytes()) == cap(left) {
		w.Bulk(secret)
	}
	if !isClear(left) {
		t.Error("growing left a copy")
	}

	n := w.Len()
	w.Bulk(secret)
	w.Truncate(n)
	if !isClear(whole(w)[n:]) || w.Len() != n {
		t.Error("truncating left a copy")
	}

	left = whole(w)
	w.Reset()
	if !isClear(left) || w.Len() != 0 {
		t.Error("resetting left a copy")
	}

	m := w.DeferredArray()
	w.Bulk(secret)
	w.SetArrayLen(m, 1)
	if !isClear(whole(w)[w.Len():]) {
		t.Error("moving a deferred array together left a copy")
	}
}

func TestWriterReleasesLargeMemory(t *testing.T) {
	t.Parallel()
	w := resp.NewWriter(0)
	w.Raw(bytes.Repeat([]byte{'x'}, 200<<10))
	before := cap(w.Bytes())
	w.Reset()
	if cap(w.Bytes()) != before {
		t.Errorf("gave %d bytes back", before)
	}
	w.Raw(bytes.Repeat([]byte{'x'}, 300<<10))
	left := whole(w)
	w.Reset()
	if cap(w.Bytes()) != 0 || !isClear(left) {
		t.Errorf("keeps %d bytes, cleared: %v", cap(w.Bytes()), isClear(left))
	}
	w.Status("OK")
	if string(w.Bytes()) != "+OK\r\n" {
		t.Errorf("after release: %q", w.Bytes())
	}
}

func TestWriterKeepsVersion(t *testing.T) {
	t.Parallel()
	w := resp.NewWriter(0)
	w.SetRESP3(true)
	w.Reset()
	if !w.RESP3() {
		t.Error("Reset changed the version of the protocol")
	}
}

func TestWriterAllocatesNothingInSteadyState(t *testing.T) {
	w := resp.NewWriter(4096)
	value := []byte("value")
	n := testing.AllocsPerRun(100, func() {
		w.Bulk(value)
		w.BulkInt(-1 << 63)
		w.Double(0.1)
		w.Map(1)
		w.Error(resp.MsgSyntax)
		outer := w.DeferredArray()
		inner := w.DeferredArray()
		w.SetArrayLen(inner, 0)
		w.SetMapLen(outer, 1)
		w.Reset()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWriterPanicsOnBugs(t *testing.T) {
	t.Parallel()
	f := func(name string, bug func(w *resp.Writer)) {
		t.Helper()
		defer func() {
			if text, _ := recover().(string); !strings.HasPrefix(text, "BUG: ") {
				t.Errorf("%s: recovered %q", name, text)
			}
		}()
		bug(resp.NewWriter(0))
	}
	f("negative length", func(w *resp.Writer) { w.Array(-1) })
	f("negative deferred length", func(w *resp.Writer) { w.SetArrayLen(w.DeferredArray(), -1) })
	f("format of a verbatim reply", func(w *resp.Writer) { w.Verbatim("text", nil) })
	f("mark set twice", func(w *resp.Writer) {
		m := w.DeferredArray()
		w.SetArrayLen(m, 0)
		w.SetArrayLen(m, 0)
	})
	f("outer mark first", func(w *resp.Writer) {
		m := w.DeferredArray()
		w.DeferredArray()
		w.SetArrayLen(m, 0)
	})
	f("mark of a reply taken back", func(w *resp.Writer) {
		m := w.DeferredArray()
		w.Truncate(0)
		w.SetArrayLen(m, 0)
	})
}
