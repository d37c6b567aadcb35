package resp

// Writer collects replies in memory that it owns. Whenever it grows, is truncated or is reset it clears what it leaves:
// the bytes after its length are zero at all times, and no abandoned array holds any of a reply.
//
// A Writer is not safe for concurrent use.
type Writer struct {
	buf   []byte
	open  []int // offsets of the placeholders of deferred lengths, ascending
	resp3 bool
}

const (
	minWriterBytes = 512
	// keptWriterBytes bounds what a reset writer holds on to, so that one large reply does not cost its size for ever.
	keptWriterBytes = 256 << 10
)

// NewWriter returns a writer of RESP2 with room for capacity bytes.
func NewWriter(capacity int) *Writer {
	return &Writer{buf: make([]byte, 0, max(capacity, minWriterBytes))}
}

// SetRESP3 selects the protocol version of the replies that follow.
func (w *Writer) SetRESP3(on bool) { w.resp3 = on }

// RESP3 reports whether replies are written as RESP3.
func (w *Writer) RESP3() bool { return w.resp3 }

// Bytes are the replies written since the last Reset. They belong to the writer and are valid until its next call.
func (w *Writer) Bytes() []byte { return w.buf }

// Len is the number of bytes written since the last Reset.
func (w *Writer) Len() int { return len(w.buf) }

// Truncate takes back and clears everything after the first n bytes, deferred lengths included. It panics when n is
// negative or more than Len.
func (w *Writer) Truncate(n int) {
	clear(w.buf[n:])
	w.buf = w.buf[:n]
	for len(w.open) > 0 && w.open[len(w.open)-1] >= n {
		w.open = w.open[:len(w.open)-1]
	}
}

// Reset clears what was written and begins anew, in the same protocol version. Memory beyond 256 KiB is released.
func (w *Writer) Reset() {
	w.Truncate(0)
	if cap(w.buf) > keptWriterBytes {
		w.buf = nil
	}
}

// Raw appends bytes that are replies already, such as those of another writer.
func (w *Writer) Raw(b []byte) { w.buf = append(w.room(len(b)), b...) }

// room returns the buffer with capacity for n more bytes. Every append goes through it: append itself would leave its
// old array to the collector as it is.
func (w *Writer) room(n int) []byte {
	if cap(w.buf)-len(w.buf) < n {
		w.grow(n)
	}
	return w.buf
}

func (w *Writer) grow(n int) {
	larger := make([]byte, len(w.buf), max(2*cap(w.buf), len(w.buf)+n, minWriterBytes))
	copy(larger, w.buf)
	clear(w.buf)
	w.buf = larger
}
