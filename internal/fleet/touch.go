package fleet

// Serves reports whether patients' data may be served now: this gateway and as many others as it must be in touch with hear
// each other, and none of them is known for half a second to have a change in force that is not in force here, or can have had
// one for as long as a gateway may be silent. After contact was broken it is false until every gateway has told what it has. It is asked once in each round of commands.
func (f *Fleet) Serves() bool {
	since := f.o.Bus.InTouch()
	now := f.o.Clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if since == 0 || !f.enough(now) || f.heldBack(now) || f.twin != 0 && now-f.twin <= owedMillis {
		return false
	}
	f.twin = 0
	if since != f.since {
		f.since, f.caughtUp = since, false
	}
	if !f.caughtUp {
		f.caughtUp = f.catchesUp(now)
		f.served = f.served || f.caughtUp
	}
	return f.caughtUp && (f.behind == 0 || now-f.behind <= behindMillis && now-f.even <= silentMillis)
}

// enough reports whether as many gateways as there must be have answered a message of this one that is no older than the
// bound.
func (f *Fleet) enough(now int64) bool {
	if f.o.Least <= 1 {
		return true
	}
	n := 1
	for _, m := range f.members {
		if now-m.echoedAt <= silentMillis {
			n++
		}
	}
	return n >= f.o.Least
}

// heldBack reports whether a gateway is heard that had not heard this one for longer than the bound when its last state came, although
// it heard itself: what it says is old, or what is said here does not reach it. Who passes messages on may hold them back for as long as
// clocks may differ, and so keep a change from this gateway that the other one has acknowledged. Only this gateway's own clock tells. One
// of which nothing comes any more has ended, or does not hear itself.
func (f *Fleet) heldBack(now int64) bool {
	for _, m := range f.members {
		if now-m.heardAt <= silentMillis && !m.away && now-m.joinedAt > owedMillis && m.heardAt-m.echoedAt > silentMillis {
			return true
		}
	}
	return false
}

// catchesUp reports whether everybody who is there has told its state since contact was made, and none has what is lacking
// here.
func (f *Fleet) catchesUp(now int64) bool {
	if now-f.since < settleMillis {
		return false
	}
	for _, id := range f.o.Bus.Heard(silentMillis) {
		if m := f.members[id]; m == nil || m.heardAt < f.since {
			return false
		}
	}
	for _, m := range f.members {
		switch {
		case m.heardAt >= f.since:
			if f.lacks(m) {
				return false
			}
		case f.since-m.heardAt < owedMillis+settleMillis && now-f.since < owedMillis:
			return false // it was there before contact broke, and may come back a moment later
		}
	}
	return true
}

// Others is how many other gateways told of themselves within the bound.
func (f *Fleet) Others() (n int) {
	now := f.o.Clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if now-m.heardAt <= silentMillis {
			n++
		}
	}
	return n
}
