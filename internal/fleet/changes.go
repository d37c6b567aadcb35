package fleet

import (
	"context"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/failpoint"
)

// want asks one gateway for the changes of consent that the sender lacks.
type want struct {
	To   string            `json:"to"`
	Have map[string]uint64 `json:"have"`
}

const (
	changesInOne = 64
	messagesOnce = 16    // in answer to one want: what lacks still is asked for again
	askAgain     = 200   // milliseconds
	lateMillis   = 1_000 // a change that comes later than that was missed by a gateway that could have served
)

// tellChanges broadcasts the changes of consent that were taken here, and answers those who lack some.
func (f *Fleet) tellChanges(ctx context.Context) {
	known := f.o.Journal.Known()
	f.mu.Lock()
	f.settled[f.o.Name] = max(f.settled[f.o.Name], known[f.o.Name])
	own := map[string]uint64{f.o.Name: f.told}
	asked := []map[string]uint64{}
	for _, m := range f.members {
		if m.wants != nil {
			asked = append(asked, m.wants)
			m.wants = nil
		}
	}
	f.mu.Unlock()
	f.tellBehind(ctx, own, map[string]uint64{f.o.Name: known[f.o.Name]})
	f.mu.Lock()
	f.told = max(f.told, own[f.o.Name])
	f.mu.Unlock()
	for _, have := range asked {
		f.tellBehind(ctx, have, known)
	}
}

// tellBehind broadcasts changes behind those that somebody has, and counts have up.
func (f *Fleet) tellBehind(ctx context.Context, have, known map[string]uint64) {
	messages := 0
	for gateway, n := range known {
		for have[gateway] < n && messages < messagesOnce {
			all, err := f.o.Journal.Since(gateway, have[gateway], changesInOne)
			if err != nil || len(all) == 0 {
				if err != nil {
					f.o.Log.Error("the journal of consents cannot be read for another gateway", "error", err)
				}
				break
			}
			f.send(ctx, kindChanges, all)
			have[gateway] += uint64(len(all))
			messages++
		}
	}
}

// wanted notes that a gateway lacks changes; Run answers.
func (f *Fleet) wanted(from uint64, have map[string]uint64) {
	f.mu.Lock()
	if m := f.members[from]; m != nil && have != nil && len(have) <= maxOrigins {
		m.wants = have
	}
	f.mu.Unlock()
	f.Grown()
}

// askForMissing asks those who have what is lacking here.
func (f *Fleet) askForMissing(ctx context.Context) {
	f.mu.Lock()
	now := f.o.Clock.Now()
	var all []string
	for _, m := range f.members {
		if now-m.heardAt <= silentMillis && now-m.askedAt >= askAgain && f.lacksConsents(m) {
			m.askedAt = now
			all = append(all, m.name)
		}
	}
	f.mu.Unlock()
	for _, name := range all {
		f.send(ctx, kindWant, want{To: name, Have: f.o.Journal.Known()})
	}
}

// force puts changes in force and has them written down. When too many wait they are asked for again.
func (f *Fleet) force(all []consent.Change) {
	lacking := f.o.Journal.Force(all)
	if len(lacking) == 0 {
		return
	}
	failpoint.Here(failpoint.ConsentHeard)
	select {
	case f.come <- lacking:
	default:
	}
}

// acceptAll writes down what others have sent, until ctx ends.
func (f *Fleet) acceptAll(ctx context.Context) {
	again := time.NewTicker(stateEvery)
	defer again.Stop()
	complained := false
	var unsettled []consent.Change
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if len(unsettled) == 0 {
				continue
			}
		case all := <-f.come:
			fresh, err := f.o.Journal.Accept(all)
			if err != nil && !complained {
				f.o.Log.Error("a change of consent of another gateway is in force and cannot be written down", "error", err)
			}
			complained = err != nil
			if err == nil {
				f.mu.Lock()
				f.settled[f.o.Name] = max(f.settled[f.o.Name], f.o.Journal.Known()[f.o.Name]) // of before a backup, if any
				f.mu.Unlock()
				for _, c := range fresh {
					if c.Origin != "" {
						unsettled = append(unsettled, c)
					}
				}
			}
		}
		unsettled = f.settle(ctx, unsettled)
	}
}

// missed reports whether this gateway may have served while a change was in force elsewhere and not here.
func (f *Fleet) missed(c *consent.Change) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served && f.o.Clock.Now()-c.Since > lateMillis
}

// settle confirms changes that are in force and written down, and returns those that could not be yet.
func (f *Fleet) settle(ctx context.Context, all []consent.Change) []consent.Change {
	for i := range all {
		c := &all[i]
		erased, err := f.o.Settle(ctx, c, f.missed(c))
		if err != nil {
			return all[i:]
		}
		failpoint.Here(failpoint.ConsentSettled)
		f.mu.Lock()
		f.settled[c.Origin] = max(f.settled[c.Origin], c.Number)
		if len(erased) > 0 {
			f.erased = append(f.erased, erasure{Gateway: c.Origin, Number: c.Number, Erased: erased, at: f.o.Clock.Now()})
		}
		f.compare(f.o.Clock.Now())
		f.mu.Unlock()
	}
	if len(all) > 0 {
		f.Grown() // the others wait for it
	}
	return nil
}
