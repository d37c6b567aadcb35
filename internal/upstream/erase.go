package upstream

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Flush deletes every entry of a tenant upstream, those included that cannot be opened any more. It calls f with each name
// that can be opened, valid during the call, and returns how many entries there were.
func (x *Executor) Flush(tenant string, f func(name []byte)) (int, error) {
	return x.erase(tenant, func(name []byte, _ seal.Subjects, opened bool) bool {
		if opened {
			f(name)
		}
		return true
	}, func() {})
}

// Erase deletes the entries of a tenant that match by their names or by the patients that their values are about, and returns
// how many they were. What nobody can open has nothing that could match, and no reader either. What match is given is valid
// during the call; due is called when some have matched, before they are deleted.
func (x *Executor) Erase(tenant string, match func(name []byte, about seal.Subjects) bool, due func()) (int, error) {
	return x.erase(tenant, func(name []byte, about seal.Subjects, opened bool) bool { return opened && match(name, about) }, due)
}

// choice says of an entry whether it is to be deleted; opened is false where its name and patients are not known.
type choice func(name []byte, about seal.Subjects, opened bool) bool

// erase walks over the upstream's names and deletes what chosen says. Entries that are written meanwhile may be missed:
// whoever must not miss any refuses them first.
func (x *Executor) erase(tenant string, chosen choice, due func()) (n int, err error) {
	prefix, err := x.sealer.TenantPrefix(nil, tenant)
	if err != nil {
		return 0, errors.New(msgNoKeys)
	}
	defer x.tidy()
	by := time.Now().Add(walkTime)
	for _, at := range x.nodes() {
		for cursor := "0"; ; {
			x.lane.reset()
			x.lane.command(at.slot, true, "SCAN", cursor, "MATCH", string(prefix)+"*", "COUNT", strconv.Itoa(pageSize))
			x.lane.run()
			o := &x.lane.ops[0]
			if o.err != nil || o.reply.kind != '*' || len(o.reply.elems) != 2 || time.Now().After(by) {
				return n, errUnreachable
			}
			cursor = string(o.reply.elems[0].text)
			var names [][]byte
			for i := range o.reply.elems[1].elems {
				if name := o.reply.elems[1].elems[i].text; seal.IsRecordName(name) {
					names = append(names, append([]byte(nil), name...))
				}
			}
			deleted, err := x.erasePage(tenant, names, chosen, due)
			if n += deleted; err != nil {
				return n, err
			}
			if cursor == "0" {
				break
			}
		}
	}
	return n, nil
}

// maxKeysAsked is how many data keys are asked for with a page of names, all at once: another gateway may have written a moment ago,
// one that has died leaves entries that nobody can open, and an upstream may make numbers up.
const maxKeysAsked = 128

// fetchKeysOf gets the data keys of records that have not ended from the peers.
func (x *Executor) fetchKeysOf(heads [][]byte) {
	var ids []uint64
	for _, head := range heads {
		h, err := seal.ParseHeader(head)
		if err == nil && h.Deadline > x.b.clock.Now() && !x.b.ring.Has(h.KeyID) && len(ids) < maxKeysAsked && !slices.Contains(ids, h.KeyID) {
			ids = append(ids, h.KeyID)
		}
	}
	x.b.fetchKeys(ids...)
}

func (x *Executor) erasePage(tenant string, names [][]byte, chosen choice, due func()) (int, error) {
	heads, err := x.heads(names)
	if err != nil {
		return 0, err
	}
	var all []doomed
	x.fetchKeysOf(heads)
	for i, name := range names {
		if len(heads[i]) == 0 {
			continue // it has gone meanwhile
		}
		h, real, about, err := x.sealer.OpenName(nil, tenant, name, heads[i])
		if chosen(real, about, err == nil) {
			d := doomed{name: name}
			if err == nil {
				d.stamp = h.Stamp
			}
			all = append(all, d)
		}
		clear(real)
		clear(about)
	}
	if len(all) == 0 {
		return 0, nil
	}
	due()
	err = x.unlinkAll(tenant, all)
	failpoint.Here(failpoint.PageErased)
	return len(all), err
}

// doomed is an entry that is to be deleted by the name that the upstream has for it.
type doomed struct {
	name  []byte
	stamp uint64 // of the record that was seen; 0 where it could not be opened
}

// unlinkAll deletes records and their data. Others of this gateway may write an entry anew before the answer is read.
func (x *Executor) unlinkAll(tenant string, all []doomed) error {
	account := x.b.accounts.Of(tenant, 0)
	sent := x.b.stamps.Next(x.b.clock.Now())
	x.lane.reset()
	for i := range all {
		l, name := x.lane, all[i].name
		l.begin(x.slot(name), false, 3)
		l.out = appendArg(appendArg(appendArgString(l.out, "UNLINK"), name), append(name[:len(name):len(name)], '~'))
		l.end()
	}
	x.lane.run()
	for i := range all {
		if o := &x.lane.ops[i]; o.err != nil {
			return o.err
		}
		if id, ok := seal.PseudonymOf(all[i].name); ok {
			x.b.ledger.erased(account, id, erasure{seen: all[i].stamp, sent: sent, done: x.b.stamps.Next(x.b.clock.Now())})
		}
	}
	return nil
}
