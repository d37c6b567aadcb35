package migrate

import (
	"context"
	"time"
)

// pace keeps a run to so many keys a second, on the average since it began.
type pace struct {
	rate  int // 0: no limit
	began time.Time
	keys  uint64
}

func newPace(rate int) pace { return pace{rate: rate, began: time.Now()} }

// page is how many keys to ask for at once: a quarter of a second's, so that a slow pace is an even one.
func (p *pace) page() int {
	if p.rate == 0 {
		return pageKeys
	}
	return min(max(p.rate/4, 1), pageKeys)
}

// wait waits as long as so many more keys are worth.
func (p *pace) wait(ctx context.Context, keys uint64) error {
	if p.rate == 0 {
		return ctx.Err()
	}
	p.keys += keys
	due := p.began.Add(time.Duration(float64(p.keys) / float64(p.rate) * float64(time.Second)))
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
