package upstream

import "encoding/binary"

// A report is what one process counts, or a part of it: the process and its clock, eight bytes each, and then for each tenant
// the name with its length before it, how many slices, each with its number, entries and bytes, what ends later, and when the
// last of that ends. Numbers are varints.

// reportWriter writes reports, each no longer than a message should be.
type reportWriter struct {
	done [][]byte
	head []byte
	body []byte
}

func (w *reportWriter) begin(id uint64, tick int64) {
	w.head = binary.LittleEndian.AppendUint64(nil, id)
	w.head = binary.LittleEndian.AppendUint64(w.head, uint64(tick))
	w.body = append([]byte(nil), w.head...)
}

func (w *reportWriter) add(name string, e *ending) {
	b := binary.AppendUvarint(w.body, uint64(len(name)))
	b = binary.AppendUvarint(append(b, name...), uint64(len(e.bySlot)))
	for at, h := range e.bySlot {
		b = appendHeld(binary.AppendUvarint(b, uint64(at)), h)
	}
	w.body = binary.AppendUvarint(appendHeld(b, e.later), uint64(e.until))
	if len(w.body) >= reportBytes {
		w.end()
		w.body = append([]byte(nil), w.head...)
	}
}

// end ends a report.
func (w *reportWriter) end() {
	w.done = append(w.done, w.body)
	w.body = nil
}

func appendHeld(b []byte, h Held) []byte {
	return binary.AppendVarint(binary.AppendVarint(b, h.Entries), h.Bytes)
}

// reportReader reads one. After an error everything is 0.
type reportReader struct {
	b      []byte
	broken bool
}

func (r *reportReader) unsigned() uint64 {
	n, size := binary.Uvarint(r.b)
	return uint64(r.took(int64(n), size))
}

func (r *reportReader) signed() int64 {
	n, size := binary.Varint(r.b)
	return r.took(n, size)
}

func (r *reportReader) took(n int64, size int) int64 {
	if size <= 0 || r.broken {
		r.broken, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reportReader) held() Held { return Held{r.signed(), r.signed()} }

func readReport(body []byte) (id uint64, tick int64, held map[string]*ending, ok bool) {
	if len(body) < 16 {
		return 0, 0, nil, false
	}
	id, tick = binary.LittleEndian.Uint64(body), int64(binary.LittleEndian.Uint64(body[8:]))
	r := reportReader{b: body[16:]}
	held = map[string]*ending{}
	for len(r.b) > 0 && !r.broken {
		n := r.unsigned()
		if n > uint64(len(r.b)) {
			return 0, 0, nil, false
		}
		name := string(r.b[:n])
		r.b = r.b[n:]
		e := &ending{tick: tick, bySlot: map[int64]Held{}}
		for i := r.unsigned(); i > 0 && !r.broken; i-- {
			e.bySlot[int64(r.unsigned())] = r.held()
		}
		e.later, e.until = r.held(), int64(r.unsigned())
		held[name] = e
	}
	return id, tick, held, !r.broken
}
