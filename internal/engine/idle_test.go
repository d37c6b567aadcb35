package engine

import "testing"

// How long an entry was idle is told to a tenth of a second while it is young, and to 1/4096 of its age for ten years.
func TestIdle(t *testing.T) {
	t.Parallel()
	const second, day = int64(1000), int64(86_400_000)
	for _, f := range []struct{ used, asked, want int64 }{
		{0, 0, 0},
		{0, 3 * second, 3 * second},
		{2900, 4900, 2000},
		{204 * second, 300 * second, 96 * second},
		{day, day + 60*second, 60 * second},
		{3650 * day, 3651 * day, day},
		{9 * second, 8 * second, 0},
	} {
		s := New(Options{Categories: 1})
		tx, k := s.NewTx(), []Key{s.Key(0, 0, []byte("k"))}
		const born = 5000
		tx.Begin(born, &told{})
		tx.Lock(k)
		tx.SetString(&k[0], Meta{BornAt: born, ExpiresAt: born + 4000*day}, []byte("v"))
		tx.Begin(born+f.used, &told{})
		tx.Get(&k[0])
		got := tx.Peek(&k[0]).IdleMillis(born + f.asked)
		tx.Unlock()
		if off := got - f.want; off < -f.used/4096-ageUnit || off > f.used/4096+ageUnit {
			t.Errorf("used at the age of %d ms, at %d ms it was idle for %d ms, want %d", f.used, f.asked, got, f.want)
		}
	}
}

// Looking is no use; reading, writing a part and a copy are, and a new value begins anew.
func TestIdleBeginsWithUse(t *testing.T) {
	t.Parallel()
	s := New(Options{Categories: 1})
	tx, k := s.NewTx(), []Key{s.Key(0, 0, []byte("k"))}
	now := int64(1000)
	m := Meta{BornAt: now, ExpiresAt: 1 << 40}
	f := func(what string, use func(), want int64) {
		t.Helper()
		now += 10_000
		tx.Begin(now, &told{})
		use()
		if got := tx.Peek(&k[0]).IdleMillis(now); got != want {
			t.Errorf("after %s it is idle for %d ms, want %d", what, got, want)
		}
	}
	tx.Begin(now, &told{})
	tx.Lock(k)
	defer tx.Unlock()
	h, err := tx.HashAt(&k[0])
	if err != nil {
		t.Fatal(err)
	}
	h.Create(m)
	h.Set([]byte("f"), []byte("v"))
	f("nothing", func() {}, 10_000)
	f("a new deadline", func() { tx.SetMeta(tx.Peek(&k[0]), m) }, 20_000)
	f("a read", func() { tx.Get(&k[0]) }, 0)
	f("a write", func() {
		h, _ := tx.HashAt(&k[0])
		h.Set([]byte("g"), []byte("v"))
	}, 0)
	f("a new value", func() { m.BornAt = now; tx.SetString(&k[0], m, []byte("v")) }, 0)
}

// A restored entry is idle for as long as it was elsewhere, and then on, until it is used.
func TestIdleBeforeBirth(t *testing.T) {
	t.Parallel()
	const second, day = int64(1000), int64(86_400_000)
	for _, f := range []struct{ before, after, want int64 }{
		{0, 0, 0},
		{999, 0, 0},
		{1000 * second, 5 * second, 1005 * second},
		{day, 0, day},
		{3 * day, day, 4 * day},
		{365 * day, 0, (1<<18 - 1) * second},
	} {
		s := New(Options{Categories: 1})
		tx, k := s.NewTx(), []Key{s.Key(0, 0, []byte("k"))}
		const born = 5000
		tx.Begin(born, &told{})
		tx.Lock(k)
		tx.SetString(&k[0], Meta{BornAt: born, ExpiresAt: born + 4000*day}, []byte("v"))
		tx.Peek(&k[0]).SetIdle(f.before)
		got := tx.Peek(&k[0]).IdleMillis(born + f.after)
		if off := got - f.want; off < -f.want/4096-second || off > f.want/4096 {
			t.Errorf("restored after %d ms, at %d ms it was idle for %d ms, want %d", f.before, f.after, got, f.want)
		}
		tx.Begin(born+second, &told{})
		tx.Get(&k[0])
		if got := tx.Peek(&k[0]).IdleMillis(born + second); got != 0 {
			t.Errorf("used, it was idle for %d ms", got)
		}
		tx.Unlock()
	}
}

// A restored entry is told to be used as often as elsewhere, and counts so for eviction, until it is used.
func TestFrequencyElsewhere(t *testing.T) {
	t.Parallel()
	s := New(Options{Categories: 1})
	tx, k := s.NewTx(), []Key{s.Key(0, 0, []byte("k"))}
	f := func(counter uint8, heat, used int) {
		t.Helper()
		const born = 5000
		tx.Begin(born, &told{})
		tx.Lock(k)
		defer tx.Unlock()
		tx.Delete(&k[0])
		tx.SetString(&k[0], Meta{BornAt: born, ExpiresAt: born + 4_000_000}, []byte("v"))
		tx.Peek(&k[0]).SetFrequency(counter)
		x := tx.Peek(&k[0])
		if got := x.Frequency(); got != int(counter) || int(x.e.heat&heatMask) != heat {
			t.Errorf("restored with %d: %d, heat %d", counter, got, x.e.heat&heatMask)
		}
		if got := x.IdleMillis(born + 7000); got != 7000 {
			t.Errorf("restored with %d: idle for %d ms", counter, got)
		}
		tx.Get(&k[0])
		if got := tx.Peek(&k[0]).Frequency(); got != used {
			t.Errorf("restored with %d and used: %d, want %d", counter, got, used)
		}
	}
	f(0, 0, 1)
	f(5, 0, 1)
	f(7, 2, 3)
	f(100, 3, 3)
	f(255, 3, 3)
}
