package cli

import (
	"bytes"
	"context"
	"testing"

	"github.com/lethe-cache/lethe/internal/fleet"
)

// A client that publishes more than the upstream passes on fills no memory: what does not fit is lost, and overwritten. What was sent
// makes room.
func TestNewsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	q := newNewsQueue()
	const one, all = 1 << 20, 100
	taken := 0
	for range all {
		body := bytes.Repeat([]byte{'x'}, one)
		q.tell(0, body)
		if body[0] == 'x' && body[one-1] == 'x' {
			taken++
		}
	}
	if most := queuedNewsBytes / one; taken == 0 || taken > most {
		t.Errorf("%d of %d messages of 1 MiB wait, and %d may", taken, all, most)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sent := 0
	q.send(ctx, func(_ context.Context, kind byte, body []byte) error {
		if kind != fleet.KindNews || body[0] != 'x' {
			t.Error("something else is sent")
		}
		if sent++; sent == taken {
			cancel()
		}
		return nil
	})
	if sent != taken {
		t.Errorf("%d were taken and %d sent", taken, sent)
	}
	if q.tell(0, []byte("x")); len(q.all) != 1 || q.bytes.Load() != 1 {
		t.Error("there is no room behind what was sent")
	}
}
