package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// mayBeNear reports whether the command may be answered by what is kept near: it only reads, and needs no more than the
// record. Nothing of a round is, once the round writes such an entry: what was written may be on its way still, and a
// session's commands see what its earlier ones did.
func (x *Executor) mayBeNear(t *Task, k *keyState) bool {
	return x.b.near != nil && k.place.Near && !k.place.Plain && t.group == nil && t.shape.need == needRecord && !t.Call.Spec.IsWrite()
}

// wroteNear notes that the round writes entries that may be kept near, or be read from replicas.
func (x *Executor) wroteNear(t *Task) {
	if !t.Call.Spec.IsWrite() {
		return
	}
	for i := range t.Keys {
		x.nearOff = x.nearOff || t.Keys[i].Near || t.Keys[i].Replica
	}
}

// fromNear answers what the upstream would answer, if that is known here.
func (x *Executor) fromNear(t *Task, k *keyState) bool {
	if !x.mayBeNear(t, k) || x.nearOff || t.attempts > 0 {
		return false
	}
	n := x.b.near
	record := n.get((*nearName)(k.record), x.b.upstream.nodeOf(k.slot), x.now)
	if record != nil {
		if h, err := seal.ParseHeader(record); err != nil || x.b.ledger.supersedes(k, &h) {
			record = nil // the upstream's word of it is on its way
		}
	}
	if record == nil {
		n.misses.Add(1)
		return false
	}
	n.hits.Add(1)
	k.cached, k.asked = false, x.b.stamps.Next(x.now)
	x.recordReply(t, k, &reply{kind: '$', text: record})
	return true
}

// keepNear has what was just read kept near.
func (x *Executor) keepNear(t *Task, k *keyState) {
	if x.mayBeNear(t, k) {
		if l := x.b.links.to(x.b.upstream.nodeOf(k.slot)); l != nil {
			l.want(wish{name: nearName(k.record), what: wantRecord}) // where it does not fit it is not kept for now
		}
	}
}
