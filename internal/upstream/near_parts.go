package upstream

import (
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Hashes and sets are kept near whole: a record, and its data, which are two keys of the upstream. A link reads the record, then
// how large the data is, then the data, and the upstream tells of a change of either; when it does so in between, nothing is
// kept. So record and data are what they were together at one moment, though they were not read in one step.

// maxNearParts is how large the data of a collection may be upstream that is kept: all of it is fetched again after each change
// of a part.
const maxNearParts = 64 << 10

// held are records whose data is on its way to be kept, by name. Their number is bounded by that of a link's wishes.
type held map[nearName][]byte

// nearKind reports whether entries of a kind may be kept near. Of a hash whose fields have deadlines of their own the number of
// fields is not what the upstream says.
func nearKind(h *seal.Header) bool {
	return h.Type == seal.String || h.Type == seal.Set || h.Type == seal.Hash && h.Flags&seal.TimedFields == 0
}

// keep takes what was read for keeping. What makes no sense is not kept: whoever reads the entry is told what that means.
func (l *link) keep(n *near, w *wish, v resp.Value) {
	record := l.held[w.name]
	delete(l.held, w.name)
	if w.what == wantRecord {
		record = v.Str
	}
	h, err := seal.ParseHeader(record)
	if err != nil || v.Null || !nearKind(&h) || v.IsError() && w.what != wantSize {
		return
	}
	next := wish{name: w.name}
	switch {
	case w.what == wantRecord && h.Type == seal.String:
		n.put(&w.name, record, &h, nil, l)
		return
	case w.what == wantRecord:
		next.what = wantSize
	case w.what == wantSize && (v.IsError() || v.Int > maxNearParts):
		n.put(&w.name, nil, &h, nil, l) // only that it is too large, or that nobody may say
		return
	case w.what == wantSize && h.Type == seal.Hash:
		next.what = wantHash
	case w.what == wantSize:
		next.what = wantSet
	default:
		if p := newParted(v.Elems, h.Type == seal.Hash); p != nil {
			n.put(&w.name, record, &h, p, l)
		}
		return
	}
	if l.want(next) {
		l.held[w.name] = record
	}
}

// parted are all parts of a collection, as the upstream answers them. It does not change.
type parted struct {
	all   []reply
	index map[string]int // of each member its place in all
	size  int64
}

// partOverhead is what a part takes beside its bytes.
const partOverhead = 160

// newParted takes the members of a set, or the fields of a hash and their values in turn; nil if there are none.
func newParted(elems []resp.Value, pairs bool) *parted {
	step := 1
	if pairs {
		step = 2
	}
	if len(elems) == 0 || len(elems)%step != 0 {
		return nil
	}
	p := &parted{all: make([]reply, len(elems)), index: make(map[string]int, len(elems)/step)}
	for i, e := range elems {
		p.all[i] = reply{kind: '$', text: e.Str}
		p.size += int64(len(e.Str)) + partOverhead
		if i%step == 0 {
			p.index[string(e.Str)] = i
			p.size += int64(len(e.Str))
		}
	}
	return p
}

// named is what the upstream answers about some members: whether a set has them, or the values of a hash's fields.
func (p *parted) named(members [][]byte, set bool) *reply {
	r := &reply{kind: '*', elems: make([]reply, len(members))}
	for i, m := range members {
		at, there := p.index[string(m)]
		switch {
		case set && there:
			r.elems[i] = reply{kind: ':', n: 1}
		case set:
			r.elems[i] = reply{kind: ':'}
		case there:
			r.elems[i] = p.all[at+1]
		default:
			r.elems[i] = reply{kind: '$', null: true}
		}
	}
	return r
}
