package engine

import (
	"fmt"
	"testing"
	"time"
)

// What a Tx holds nobody else changes, commands inside it run as ever, and after Release all is free again.
func TestHold(t *testing.T) {
	s := New(Options{TenantQuota: 1 << 20})
	defer s.Close()
	tx := s.NewTx()
	tx.Begin(1, &told{})
	var keys []Key
	for i := range 200 {
		keys = append(keys, s.Key(0, 0, fmt.Appendf(nil, "k%d", i)))
	}
	tx.Hold(EveryShard)
	for i := range keys {
		tx.Lock(keys[i : i+1])
		tx.SetString(&keys[i], Meta{ExpiresAt: 1000}, []byte("v"))
		tx.Unlock()
	}
	done := make(chan struct{})
	go func() {
		other := s.NewTx()
		other.Begin(1, &told{})
		other.Lock(keys[:1])
		other.Delete(&keys[0])
		other.Unlock()
		close(done)
	}()
	seen := 0
	for cursor := uint64(0); ; {
		if cursor = tx.Scan(0, cursor, 10, func(Entry) { seen++ }); cursor == 0 {
			break
		}
	}
	if seen != len(keys) {
		t.Errorf("a walk inside Hold saw %d of %d entries", seen, len(keys))
	}
	if !tx.Random(0, func(Entry) {}) {
		t.Error("no random entry")
	}
	if err := tx.MakeRoom(0, 1<<20-100); err != nil || s.Usage(0).Entries != 0 {
		t.Errorf("making room inside Hold: %v, %d entries left", err, s.Usage(0).Entries)
	}
	select {
	case <-done:
		t.Error("another Tx came between")
	case <-time.After(time.Millisecond): // what must not happen has no event to wait for
	}
	tx.Release()
	<-done
	if ShardsOf(keys) == 0 || ShardsOf(nil) != 0 {
		t.Error("sets of shards")
	}
}
