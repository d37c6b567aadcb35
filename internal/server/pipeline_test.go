package server

import (
	"bytes"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Decoding a pipeline allocates nothing once there is room for its arguments.
func TestPipelineDoesNotAllocate(t *testing.T) {
	c := &conn{trusted: true, decoder: resp.NewDecoder(resp.DefaultLimits())}
	input := bytes.Repeat([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"), decodeAhead)
	var p pipeline
	decode := func() {
		if err := p.decode(c, input); err != nil || len(p.requests) != decodeAhead {
			t.Fatalf("%d requests, %v", len(p.requests), err)
		}
	}
	decode()
	if n := testing.AllocsPerRun(100, decode); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
