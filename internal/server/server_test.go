package server

import (
	"bytes"
	"testing"
)

// TestPartialClears shows that nothing of an unfinished request stays behind when it grows, is used or is dropped.
func TestPartialClears(t *testing.T) {
	c := &conn{}
	mark := []byte("a piece of a record")
	c.keep(mark)
	first := c.partial[:cap(c.partial)]
	c.keep(bytes.Repeat(mark, 100))
	if bytes.Contains(first, mark) {
		t.Error("memory that was outgrown still holds the request")
	}
	all := c.partial[:cap(c.partial)]
	c.dropKept(len(mark) * 90)
	if len(c.partial) != len(mark)*11 || bytes.Count(all, mark) != 11 {
		t.Errorf("%d bytes are kept, %d copies are left", len(c.partial), bytes.Count(all, mark))
	}
	c.dropKept(len(c.partial))
	if bytes.Contains(all, mark) {
		t.Error("a request that was used is still there")
	}
}
