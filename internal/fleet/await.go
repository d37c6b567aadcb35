package fleet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

// ErrAlone is what Await returns while this gateway is not in touch with the others.
var ErrAlone = errors.New("this gateway is not in touch with the others")

// patience is how long a gateway that is heard may take to confirm.
const patience = 5 * time.Second

// Await waits until the others have confirmed this gateway's change with a number: see consent.Others. Those of which
// nothing has come for longer than the bound do not hear this gateway either; they serve no patients' data before they do.
func (f *Fleet) Await(ctx context.Context, number uint64) ([]consent.Confirmation, error) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(stateEvery)
	defer look.Stop()
	for over := false; ; {
		if f.o.Bus.InTouch() == 0 {
			return nil, ErrAlone
		}
		f.mu.Lock()
		all, waiting := f.confirmations(number)
		enough := f.enough(f.o.Clock.Now())
		changed := f.changed
		f.mu.Unlock()
		if enough && (!waiting || over) {
			return all, nil
		}
		if over {
			return nil, ErrAlone
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-look.C:
		case <-deadline.C:
			over = true
		}
	}
}

// confirmations are what the members have said of a change, and whether one that is heard has not confirmed it. f.mu is held.
func (f *Fleet) confirmations(number uint64) (all []consent.Confirmation, waiting bool) {
	now := f.o.Clock.Now()
	for _, m := range f.members {
		c := consent.Confirmation{Name: m.name, Erased: []consent.Erased{}}
		if m.settled[f.o.Name] >= number {
			c.ConfirmedAt = consent.Instant(m.tick)
			for _, e := range m.erased {
				if e.Gateway == f.o.Name && e.Number == number {
					c.Erased = e.Erased
				}
			}
		} else {
			waiting = waiting || now-m.heardAt <= silentMillis
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b consent.Confirmation) int { return strings.Compare(a.Name, b.Name) })
	return all, waiting
}
