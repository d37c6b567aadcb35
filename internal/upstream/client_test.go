package upstream

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

// What was read in clear is overwritten when it is released, in the arrays that were outgrown too.
func TestReaderInClearForgets(t *testing.T) {
	t.Parallel()
	const mark = "canary"
	big := strings.Repeat(mark, 50_000)
	src := strings.NewReader("$6\r\n" + mark + "\r\n$" + strconv.Itoa(len(big)) + "\r\n" + big + "\r\n")
	r := reader{src: src, max: 1 << 20, inClear: true}
	var arrays [][]byte
	for range 2 {
		if _, err := r.next(); err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, r.buf)
	}
	if &arrays[0][0] == &arrays[1][0] {
		t.Fatal("the buffer did not grow, so that nothing is shown")
	}
	r.release()
	for i, a := range arrays {
		if bytes.Contains(a, []byte(mark)) {
			t.Errorf("array %d holds what was read", i)
		}
	}
}

func TestRoomForForgets(t *testing.T) {
	t.Parallel()
	old := append(make([]byte, 0, 8), "canary"...)
	grown := roomFor(old, 100)
	if string(grown) != "canary" || cap(grown) < 106 || bytes.Contains(old, []byte("c")) {
		t.Errorf("%q in %d bytes, and %q where it was", grown, cap(grown), old)
	}
	if same := roomFor(grown, 1); &same[0] != &grown[0] {
		t.Error("an array that has room was replaced")
	}
}
