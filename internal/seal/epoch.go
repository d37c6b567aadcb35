package seal

import (
	"crypto/rand"
	"encoding/binary"
)

// epoch is the secret that pseudonyms of key names are made with. It lives as long as any gateway of the cluster: a gateway
// that starts takes it from its peers. When the last gateway ends it is gone, and so is the last way to test whether a name
// was in use. Where two gateways started at the same moment and each drew its own, the older one stands; what was written
// under the other cannot be found any more, which is a miss.
type epoch struct {
	id        uint64
	startedAt int64
	slot      []byte // in the vault: the secret, then the MAC's states
}

func (r *Ring) newEpoch(now int64) (*epoch, error) {
	slot, err := r.vault.slot()
	if err != nil {
		return nil, err
	}
	rand.Read(slot[:macKeyBytes])
	var id [8]byte
	rand.Read(id[:])
	return r.makeEpoch(binary.LittleEndian.Uint64(id[:]), now, slot), nil
}

// makeEpoch takes the secret from slot[:macKeyBytes]. The MAC's key is the MAC of the epoch's secret under the cluster's, so
// that pseudonyms need both.
func (r *Ring) makeEpoch(id uint64, startedAt int64, slot []byte) *epoch {
	e := &epoch{id: id, startedAt: startedAt, slot: slot}
	h := newHasher()
	h.prepare(e.mac(), r.cluster)
	h.begin(e.mac())
	h.write([]byte("lethe pseudonyms 1"))
	h.write(e.secret())
	key := h.end(e.mac())
	h.prepare(e.mac(), key)
	clear(key)
	return e
}

func (e *epoch) secret() []byte { return e.slot[:macKeyBytes] }

func (e *epoch) mac() macKey { return e.slot[macKeyBytes : macKeyBytes+macStatesBytes] }

func (e *epoch) erase(v *vault) {
	if e.slot != nil {
		v.release(e.slot)
		e.slot = nil
	}
}

// older reports whether e stands against another epoch.
func (e *epoch) older(id uint64, startedAt int64) bool {
	if e.startedAt != startedAt {
		return e.startedAt < startedAt
	}
	return e.id <= id
}

// adopt replaces the epoch by a peer's that is older. The replaced one's slot is not given back: a Sealer may be using it,
// and it happens at most once or twice in a process's life.
func (r *Ring) adopt(id uint64, startedAt int64, secret []byte) error {
	for {
		mine := r.epoch.Load()
		if mine != nil && mine.older(id, startedAt) {
			return nil
		}
		slot, err := r.vault.slot()
		if err != nil {
			return err
		}
		copy(slot[:macKeyBytes], secret)
		if r.epoch.CompareAndSwap(mine, r.makeEpoch(id, startedAt, slot)) {
			if mine != nil {
				clear(mine.secret())
			}
			return nil
		}
		r.vault.release(slot)
	}
}

// Epoch numbers the present epoch; 0: none yet. What is known of entries belongs to an epoch.
func (r *Ring) Epoch() uint64 {
	if e := r.epoch.Load(); e != nil {
		return e.id
	}
	return 0
}

// Names reports whether there is all that names of entries are made with.
func (r *Ring) Names() bool { return r.epoch.Load() != nil && r.tenants() != nil }

// tenants is the epoch whose secret makes the tenants' pseudonyms, which all names of a tenant begin with: the kept one, where
// there are categories that survive a restart.
func (r *Ring) tenants() *epoch {
	if r.kept.Load() != nil {
		return r.keptEpoch.Load()
	}
	return r.epoch.Load()
}
