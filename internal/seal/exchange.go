package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/lethe-cache/lethe/internal/failpoint"
)

// Received takes a message from the bus. What is not a fresh message of this cluster is dropped; ok says so.
func (p *Peers) Received(b []byte) (ok bool) {
	p.mu.Lock()
	m, err := decodeMessage(b, p.hasher, p.mac())
	now := p.clock.Now()
	if err != nil {
		p.mu.Unlock()
		return false
	}
	if m.sentAt > now+maxLate || m.sentAt < now-maxLate {
		p.heardApart(m.sender, now)
		p.mu.Unlock()
		return false
	}
	if m.sender == p.id {
		p.heardSelf(m.sentAt, now)
		p.mu.Unlock()
		return true
	}
	from := p.peers[m.sender]
	switch {
	case from == nil && (m.kind != msgHello || len(p.peers) >= maxPeers),
		from == nil && m.number <= p.gone[m.sender].number,
		from != nil && m.number <= from.number:
		p.mu.Unlock()
		return false
	case from == nil:
		from = &peer{told: map[uint64]bool{}}
		p.peers[m.sender] = from
	}
	from.number, from.heardAt = m.number, now
	p.mu.Unlock()
	p.ring.stamps.ObserveTime(m.sentAt)
	switch m.kind {
	case msgHello:
		err = p.greet(m.sender, from, m.body)
	case msgKeys:
		err = p.take(m.sender, m.body)
	case msgWant:
		err = p.offer(m.sender, from, m.body)
	case msgNote:
		err = p.noted(m.sender, m.body)
	}
	return err == nil
}

func (p *Peers) greet(id uint64, from *peer, body []byte) error {
	h, err := decodeHello(body)
	if err != nil {
		return err
	}
	mine := p.ring.epoch.Load()
	p.mu.Lock()
	from.keyNumber, from.publicKey = h.keyNumber, append(from.publicKey[:0], h.publicKey...)
	differs := mine != nil && h.epoch != mine.id && (h.epoch == 0 || mine.older(h.epoch, h.startedAt))
	if h.wantsAll || differs {
		clear(from.told)
		p.greeted = append(without64(p.greeted, id), id)
	}
	p.mu.Unlock()
	p.poke()
	return nil
}

func without64(all []uint64, id uint64) []uint64 {
	kept := all[:0]
	for _, x := range all {
		if x != id {
			kept = append(kept, x)
		}
	}
	return kept
}

// offer answers a peer that misses keys: it is told them again.
func (p *Peers) offer(id uint64, from *peer, body []byte) error {
	if len(body)%8 != 0 || len(body) > 8*maxWaiting {
		return errMessage
	}
	p.mu.Lock()
	any := false
	for at := 0; at < len(body); at += 8 {
		key := binary.LittleEndian.Uint64(body[at:])
		if p.ring.Has(key) {
			delete(from.told, key)
			any = true
		}
	}
	if any {
		p.greeted = append(without64(p.greeted, id), id)
	}
	p.mu.Unlock()
	p.poke()
	return nil
}

// answer sends what peers lack: wishes of our own, and to each peer the keys that it was not told.
func (p *Peers) answer(ctx context.Context) {
	p.mu.Lock()
	var wish []byte
	for _, id := range p.wants {
		wish = binary.LittleEndian.AppendUint64(wish, id)
	}
	p.wants = p.wants[:0]
	greeted := map[uint64]bool{}
	for _, id := range p.greeted {
		greeted[id] = true
	}
	p.greeted = p.greeted[:0]
	type target struct {
		id uint64
		to *peer
	}
	var all []target
	for id, x := range p.peers {
		all = append(all, target{id, x})
	}
	p.mu.Unlock()
	if len(wish) > 0 {
		_ = p.send(ctx, msgWant, wish) // the one who waits gives up by itself
	}
	own := p.ring.takeUnsent()
	if len(own) > 0 {
		failpoint.Here(failpoint.KeysDrawn)
	}
	for _, t := range all {
		keys := own
		if greeted[t.id] {
			keys = p.ring.all()
		}
		p.tell(ctx, t.id, t.to, keys, greeted[t.id])
	}
}

// tell sends a peer those of the keys that it was not told yet; with always it sends the epoch even if there is none.
func (p *Peers) tell(ctx context.Context, id uint64, to *peer, keys []*dataKey, always bool) {
	for {
		p.mu.Lock()
		var some []*dataKey
		rest := keys
		for len(rest) > 0 && len(some) < maxKeysInOne {
			if !to.told[rest[0].id] {
				some = append(some, rest[0])
			}
			rest = rest[1:]
		}
		number, public := to.keyNumber, append([]byte(nil), to.publicKey...)
		p.mu.Unlock()
		if len(some) == 0 && !always {
			return
		}
		if !p.sendKeys(ctx, id, number, public, some) {
			return
		}
		if len(some) > 0 {
			failpoint.Here(failpoint.KeysTold)
		}
		p.mu.Lock()
		for _, k := range some {
			to.told[k.id] = true
		}
		p.mu.Unlock()
		keys, always = rest, false
	}
}

func (p *Peers) sendKeys(ctx context.Context, to, number uint64, public []byte, keys []*dataKey) bool {
	e := p.ring.epoch.Load()
	if e == nil || len(public) == 0 {
		return false
	}
	plain := make([]byte, 0, 8+8+macKeyBytes+len(keys)*keyEntryBytes)
	plain = binary.LittleEndian.AppendUint64(plain, e.id)
	plain = binary.LittleEndian.AppendUint64(plain, uint64(e.startedAt))
	plain = append(plain, e.secret()...)
	for _, k := range keys {
		if !k.use() {
			continue
		}
		plain = binary.LittleEndian.AppendUint64(plain, k.id)
		plain = binary.LittleEndian.AppendUint64(plain, p.originOf(k))
		plain = binary.LittleEndian.AppendUint64(plain, uint64(k.destroyAt))
		plain = append(plain, k.secret()...)
		k.done()
	}
	defer clear(plain)
	sealed, err := sealTo(public, info(p.id, to, number), plain)
	if err != nil {
		return false
	}
	body := binary.LittleEndian.AppendUint64(nil, to)
	body = binary.LittleEndian.AppendUint64(body, number)
	return p.send(ctx, msgKeys, append(body, sealed...)) == nil
}

// originOf is the number of the process that drew a key, whoever tells of it.
func (p *Peers) originOf(k *dataKey) uint64 {
	if k.origin != 0 {
		return k.origin
	}
	return p.id
}

// take opens keys that a peer sent, if they are for this gateway.
func (p *Peers) take(from uint64, body []byte) error {
	if len(body) < 16 {
		return errMessage
	}
	if binary.LittleEndian.Uint64(body) != p.id {
		return nil
	}
	number := binary.LittleEndian.Uint64(body[8:])
	p.mu.Lock()
	defer p.mu.Unlock() // erasing a pair waits
	for _, x := range p.pairs {
		if x == nil || x.number != number || x.private == nil {
			continue
		}
		plain, err := x.open(info(from, p.id, number), body[16:])
		if err != nil {
			return errMessage
		}
		defer clear(plain)
		return p.ring.receive(plain)
	}
	return errMessage
}

// receive adds a peer's epoch and keys to the ring.
func (r *Ring) receive(plain []byte) error {
	const head = 8 + 8 + macKeyBytes
	if len(plain) < head || (len(plain)-head)%keyEntryBytes != 0 {
		return errMessage
	}
	if err := r.adopt(binary.LittleEndian.Uint64(plain), int64(binary.LittleEndian.Uint64(plain[8:])), plain[16:head]); err != nil {
		return err
	}
	now := r.clock.Now()
	for at := head; at < len(plain); at += keyEntryBytes {
		id, origin := binary.LittleEndian.Uint64(plain[at:]), binary.LittleEndian.Uint64(plain[at+8:])
		destroyAt := int64(binary.LittleEndian.Uint64(plain[at+16:]))
		if destroyAt <= now || r.Has(id) {
			continue
		}
		if err := r.addForeign(id, origin, destroyAt, plain[at+24:at+keyEntryBytes]); err != nil {
			return err
		}
		failpoint.Here(failpoint.KeysTaken)
	}
	return nil
}

func (r *Ring) addForeign(id, origin uint64, destroyAt int64, secret []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.Len() >= maxForeignKeys || (*r.byID.Load())[id] != nil {
		return nil
	}
	slot, err := r.vault.slot()
	if err != nil {
		return err
	}
	copy(slot, secret)
	k, err := newDataKey(id, destroyAt, slot)
	if err != nil {
		r.vault.release(slot)
		return err
	}
	k.origin = origin
	r.insert(k)
	return nil
}

// takeUnsent returns the keys that were drawn since the last call.
func (r *Ring) takeUnsent() []*dataKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := r.unsent
	r.unsent = nil
	return keys
}

func (r *Ring) all() []*dataKey {
	var keys []*dataKey
	for _, k := range *r.byID.Load() {
		keys = append(keys, k)
	}
	return keys
}

// Broadcast tells the other gateways something that concerns another part of them: a revocation, a changed user, a count.
// Nobody else can read or make it. It returns when the bus has taken it.
func (p *Peers) Broadcast(ctx context.Context, kind byte, body []byte) error {
	box, done, err := p.noteBox()
	if err != nil {
		return err
	}
	defer done()
	plain := append([]byte{kind}, body...)
	defer clear(plain)
	return p.send(ctx, msgNote, box.Seal(nil, nil, plain, noteBinding(p.id)))
}

func (p *Peers) noted(from uint64, body []byte) error {
	box, done, err := p.noteBox()
	if err != nil {
		return err
	}
	defer done()
	plain, err := box.Open(nil, nil, body, noteBinding(from))
	if err != nil || len(plain) == 0 {
		return errMessage
	}
	if p.note != nil {
		p.note(from, plain[0], plain[1:])
	}
	clear(plain)
	return nil
}

func noteBinding(from uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte("lethe note 1"), from)
}

// noteBox is the cipher of notes; done erases it.
func (p *Peers) noteBox() (box cipher.AEAD, done func(), err error) {
	e := p.ring.epoch.Load()
	if e == nil {
		return nil, nil, ErrClosed
	}
	h := newHasher()
	h.begin(e.mac())
	h.write([]byte("lethe notes 1"))
	key := h.end(e.mac())
	block, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot seal a note: %w", err)
	}
	defer wipe(block)
	if box, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, nil, fmt.Errorf("cannot seal a note: %w", err)
	}
	return box, func() { wipe(box) }, nil
}
