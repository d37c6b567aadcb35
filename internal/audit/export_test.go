package audit

// What the tests in package audit_test need of the inside.

// Plain returns the encoded records of a batch that fits into one frame.
func (b *Batch) Plain() []byte { return b.buf }

// DecodeRecords is decodeRecords.
var DecodeRecords = decodeRecords

// FrameOffsets returns where the frames of a segment begin, and behind them where the chain ends.
func FrameOffsets(segment []byte) []int {
	h, chain, err := parseHeader(segment)
	if err != nil {
		return nil
	}
	w := walker{data: segment, offset: headerBytes, chain: chain, next: h.first}
	offsets := []int{w.offset}
	for {
		if _, err := w.step(); err != nil {
			return offsets
		}
		offsets = append(offsets, w.offset)
	}
}

// Walk steps through a segment until it ends or is damaged.
func Walk(segment []byte) error {
	h, chain, err := parseHeader(segment)
	if err != nil {
		return err
	}
	w := walker{data: segment, offset: headerBytes, chain: chain, next: h.first}
	_, err = w.toEnd()
	return err
}

// ParseHead is parseHead.
func ParseHead(text []byte) error {
	_, err := parseHead(text)
	return err
}

// BreakSync makes the next sync of the active segment fail.
func (l *Log) BreakSync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active.file.Close()
}

// Prepared tells whether the next segment is ready.
func (l *Log) Prepared() bool {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	return l.next != nil
}
