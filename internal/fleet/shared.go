package fleet

import (
	"context"
	"encoding/json"
	"maps"
)

// Shared is something that all gateways have alike and each may change, such as users. Its methods do not block longer than
// it takes to write a file, State not at all.
type Shared interface {
	// Name tells it from others. It is the same at all gateways.
	Name() string
	// State returns, by gateway, the number of the last change that is in force here, and a digest of the whole. Of gateways
	// that know the same numbers and have different digests each gets everything from the other.
	State() (known map[string]uint64, digest string)
	// Since returns changes of a gateway behind a number, encoded, and the number of the last of them; nil: there are none.
	Since(gateway string, after uint64) (body []byte, through uint64)
	// Accept puts what Since returned elsewhere in force. The body is cleared behind it. What it cannot put in force now it
	// gets again.
	Accept(body []byte) error
}

// standing is how something shared is at a gateway.
type standing struct {
	Known  map[string]uint64 `json:"known"`
	Digest string            `json:"digest"`
}

// wantShared asks one gateway for changes that the sender lacks.
type wantShared struct {
	To   string            `json:"to"`
	Of   string            `json:"of"`
	Have map[string]uint64 `json:"have"`
}

// sharedBatch is the body of kindShared.
type sharedBatch struct {
	Of   string          `json:"of"`
	Body json.RawMessage `json:"body"`
}

const maxWantsShared = 16

func (f *Fleet) standings() map[string]standing {
	all := map[string]standing{}
	for _, s := range f.o.Shared {
		known, digest := s.State()
		all[s.Name()] = standing{known, digest}
	}
	return all
}

// lacksShared returns, of what is shared and lacks changes that a member has, what is known of it: nothing, where all of it
// must come again.
func (f *Fleet) lacksShared(m *member) (lacking map[string]map[string]uint64) {
	for _, s := range f.o.Shared {
		theirs, ok := m.shared[s.Name()]
		if !ok {
			continue
		}
		known, digest := s.State()
		have := known
		for gateway, n := range theirs.Known {
			if n > known[gateway] {
				have = nil
			}
		}
		switch {
		case have == nil:
			have = known
		case theirs.Digest != digest && maps.Equal(known, theirs.Known):
			have = map[string]uint64{}
		default:
			continue
		}
		if lacking == nil {
			lacking = map[string]map[string]uint64{}
		}
		lacking[s.Name()] = have
	}
	return lacking
}

// askForShared asks those who have what is lacking here.
func (f *Fleet) askForShared(ctx context.Context) {
	var all []wantShared
	f.mu.Lock()
	now := f.o.Clock.Now()
	for _, m := range f.members {
		if now-m.heardAt > silentMillis || now-m.askedShared < askAgain {
			continue
		}
		for of, have := range f.lacksShared(m) {
			m.askedShared = now
			all = append(all, wantShared{To: m.name, Of: of, Have: have})
		}
	}
	f.mu.Unlock()
	for i := range all {
		f.send(ctx, kindWantShared, &all[i])
	}
}

// sharedWanted notes that a gateway lacks changes; Run answers.
func (f *Fleet) sharedWanted(from uint64, w *wantShared) {
	f.mu.Lock()
	if m := f.members[from]; m != nil && len(w.Have) <= maxOrigins && len(m.wantsShared) < maxWantsShared {
		m.wantsShared = append(m.wantsShared, *w)
	}
	f.mu.Unlock()
	f.Grown()
}

// tellShared broadcasts what was changed here, and answers those who lack something.
func (f *Fleet) tellShared(ctx context.Context) {
	var asked []wantShared
	f.mu.Lock()
	for _, m := range f.members {
		asked = append(asked, m.wantsShared...)
		m.wantsShared = nil
	}
	f.mu.Unlock()
	for _, s := range f.o.Shared {
		known, _ := s.State()
		own := map[string]uint64{f.o.Name: f.spread[s.Name()]}
		f.spreadShared(ctx, s, own, map[string]uint64{f.o.Name: known[f.o.Name]})
		f.spread[s.Name()] = own[f.o.Name]
		for _, w := range asked {
			if w.Of == s.Name() {
				f.spreadShared(ctx, s, maps.Clone(w.Have), known)
			}
		}
	}
}

// spreadShared broadcasts changes behind those that somebody has, and counts have up.
func (f *Fleet) spreadShared(ctx context.Context, s Shared, have, known map[string]uint64) {
	if have == nil {
		have = map[string]uint64{}
	}
	for gateway, n := range known {
		for messages := 0; have[gateway] < n && messages < messagesOnce; messages++ {
			body, through := s.Since(gateway, have[gateway])
			if body == nil || through <= have[gateway] {
				break
			}
			f.send(ctx, kindShared, &sharedBatch{s.Name(), body})
			clear(body)
			have[gateway] = through
		}
	}
}

// queueShared hands changes of others to the goroutine that writes them down; when too many wait they are asked for again.
func (f *Fleet) queueShared(body []byte) {
	var b sharedBatch
	if json.Unmarshal(body, &b) != nil {
		return
	}
	select {
	case f.bits <- b:
	default:
		clear(b.Body)
	}
}

// acceptShared puts what others changed in force, until ctx ends.
func (f *Fleet) acceptShared(ctx context.Context) {
	complaint := ""
	for {
		var b sharedBatch
		select {
		case <-ctx.Done():
			return
		case b = <-f.bits:
		}
		for _, s := range f.o.Shared {
			if s.Name() != b.Of {
				continue
			}
			text := ""
			if err := s.Accept(b.Body); err != nil {
				text = err.Error()
			}
			if text != "" && text != complaint {
				f.o.Log.Error("a change of another gateway cannot be put in force; no PHI is served until it can", "of", b.Of, "error", text)
			}
			complaint = text
		}
		clear(b.Body)
		f.mu.Lock()
		f.compare(f.o.Clock.Now())
		f.mu.Unlock()
		f.Grown() // what lacks still is asked for
	}
}
