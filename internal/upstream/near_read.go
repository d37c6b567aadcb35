package upstream

import (
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/seal"
)

// mayBeNear reports whether the command may be answered by what is kept near: it only reads, and needs no more than records, or
// is about one collection. Nothing of a round is, once the round writes such an entry: what was written may be on its way still, and a
// session's commands see what its earlier ones did.
func (x *Executor) mayBeNear(t *Task, k *keyState) bool {
	return x.b.near != nil && k.place.Near && t.group == nil && !t.Call.Spec.IsWrite() &&
		(t.shape.need == needRecord || len(t.keys) == 1 && (t.shape.quick == nil || t.shape.quick.near))
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
	e := n.get((*nearName)(k.record), x.b.upstream.nodeOf(k.slot), x.now)
	if e != nil {
		if h, err := seal.ParseHeader(e.record); err != nil || x.b.ledger.supersedes(k, &h) {
			e = nil // the upstream's word of it is on its way
		}
	}
	if e == nil || e.parts != nil && t.shape.need != needRecord && !x.partsFromNear(t, k, e) {
		n.misses.Add(1)
		return false
	}
	n.hits.Add(1)
	k.near, k.cached, k.partsOp, k.asked = true, false, -1, x.b.stamps.Next(x.now)
	if e.parts == nil || t.shape.need == needRecord {
		x.recordReply(t, k, &reply{kind: '$', text: e.record})
	}
	failpoint.Here(failpoint.NearAnswered)
	return true
}

// partsFromNear takes the parts that the command needs of a collection, as they would come from the upstream.
func (x *Executor) partsFromNear(t *Task, k *keyState, e *nearEntry) bool {
	if !x.adopt(k, e.record) {
		return false
	}
	switch {
	case t.shape.need == needWhole:
		k.parts = &reply{kind: '*', elems: e.parts.all}
	case t.shape.need == needItems && x.sealMembers(t, k):
		k.parts = e.parts.named(k.members, k.coll.Type == seal.Set)
	}
	if k.parts == nil {
		k.found, k.guard, k.raw = false, guardAbsent, nil
	}
	return k.parts != nil
}

// keepNear has what was just read kept near, if it was not read from there.
func (x *Executor) keepNear(t *Task, k *keyState) {
	if !k.found || k.near || !x.mayBeNear(t, k) || !nearKind(&k.header) || x.b.near.knows((*nearName)(k.record)) {
		return
	}
	if l := x.b.links.to(x.b.upstream.nodeOf(k.slot)); l != nil {
		l.want(wish{name: nearName(k.record), what: wantRecord}) // where it does not fit it is not kept for now
	}
}
