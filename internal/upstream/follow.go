package upstream

import (
	"bytes"
	"container/heap"
	"sync"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Following is what became of the wish to follow an entry.
type Following uint8

const (
	// NotFollowed: what was read counts as changed already. It cannot be followed, or not at this moment.
	NotFollowed Following = iota
	// Followed: Hearer.Changed is called once, when the entry is not any more what was read.
	Followed
	// FollowedAnew is Followed, and what others have read of the entry before has changed: they are not told any more.
	FollowedAnew
)

// Hearer is told of entries that were followed, once of each. Its methods are called by a goroutine of Backend.Run, with no
// lock held; keys are valid during the call.
type Hearer interface {
	// Changed is told of an entry that is not what was read, or not surely.
	Changed(t engine.TenantID, key []byte)
	// Lost is told of entries of which nothing will be heard any more: a connection has ended on which that was to be told.
	Lost(all []Kept)
}

// Kept is an entry of which somebody may have a copy.
type Kept struct {
	Tenant engine.TenantID
	Key    []byte
}

// follows are entries whose next change somebody wants to hear of. A follow begins with a look at the entry over a link, which
// the upstream answers and then tells of the next change: what it shows is compared with what was read before. So nobody waits
// for anything, and no change is missed, whenever it came. A change that is told before the answer came is older than the
// answer, which knows more.
//
// It may be used concurrently. Its lock is held neither while somebody is told nor while anything is waited for.
type follows struct {
	u      *Upstream
	links  *links
	hearer Hearer // set before the first follow

	mu     sync.Mutex
	byName map[nearName]*follow
	ends   followEnds
	asked  uint64  // looks
	layout *layout // at the last look at the time
}

// follow is one entry. The key is a copy that is overwritten when the follow ends.
type follow struct {
	name   nearName
	tenant engine.TenantID
	key    []byte
	seen   seenText
	number uint64 // of the look whose answer counts; 0: it was as it was read
	from   *link
	end    int64 // Unix milliseconds
	at     int   // in ends

	awaited bool // nobody has a copy
}

const (
	// maxFollows bounds the entries that are followed; as many are remembered for clients of the embedded engine.
	maxFollows = 1_000_000
	// followMillis is how long an entry is followed that has no deadline that can be read here: nothing, and what is not sealed.
	followMillis = 3_600_000
	// awaitMillis is how long an entry is followed since somebody has awaited it: afterwards nobody does, and its name is
	// forgotten.
	awaitMillis = 5000
)

// Hear has what is followed told to h. It must be called before the first Follow.
func (b *Backend) Hear(h Hearer) { b.follows.hearer = h }

// Follow has the hearer told when an entry is not any more what an ended task has seen of its key i. The key is copied. Nothing
// is waited for.
func (b *Backend) Follow(t engine.TenantID, key []byte, task *Task, i int) Following {
	return b.follow(t, key, task, i, false)
}

// Await is Follow for who has no copy, and looks again every second or two whatever it hears: what has changed may be told
// without a change. Of nothing nothing is told when its slot moves, so in a cluster only Await follows that.
func (b *Backend) Await(t engine.TenantID, key []byte, task *Task, i int) Following {
	return b.follow(t, key, task, i, true)
}

func (b *Backend) follow(t engine.TenantID, key []byte, task *Task, i int, await bool) Following {
	f, now := b.follows, b.clock.Now()
	seen := task.seen(i)
	end, followable := seen.text.end(now)
	if await {
		end = min(end, now+awaitMillis)
	}
	l := b.links.to(b.upstream.nodeOf(b.upstream.slotOf(seen.name[:])))
	if l == nil || !followable || seen.text.n == 0 && b.upstream.Clustered() && !await {
		return NotFollowed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.byName[seen.name]
	switch {
	case x != nil && x.seen == seen.text:
		f.extend(x, end, await)
		return Followed
	case l.lost, x == nil && len(f.byName) >= maxFollows:
		return NotFollowed // where somebody has read something else the upstream tells of it
	}
	f.asked++
	if seen.text.isCollection() && !l.want(wish{name: seen.name, what: wantData}) ||
		!l.want(wish{name: seen.name, what: wantHeader, number: f.asked}) {
		return NotFollowed
	}
	how := Followed
	if x != nil {
		how = FollowedAnew
		f.remove(x)
	}
	x = &follow{name: seen.name, tenant: t, key: bytes.Clone(key), seen: seen.text, number: f.asked, from: l, end: end, awaited: await}
	f.byName[x.name] = x
	heap.Push(&f.ends, x)
	return how
}

// extend goes on with a follow that was for nobody's copy.
func (f *follows) extend(x *follow, end int64, await bool) {
	if x.awaited {
		x.end, x.awaited = max(x.end, end), await
		heap.Fix(&f.ends, x.at)
	}
}

// remove ends a follow and overwrites its key.
func (f *follows) remove(x *follow) {
	delete(f.byName, x.name)
	heap.Remove(&f.ends, x.at)
	clear(x.key)
}

// take ends a follow and returns what its hearer is to be told.
func (f *follows) take(x *follow) Kept {
	k := Kept{x.tenant, x.key}
	x.key = nil
	f.remove(x)
	return k
}

// tell tells of changes and overwrites the keys.
func (f *follows) tell(all ...Kept) {
	for _, k := range all {
		f.hearer.Changed(k.Tenant, k.Key)
		clear(k.Key)
	}
}

// answer takes what a look has shown.
func (f *follows) answer(w *wish, v resp.Value) {
	f.mu.Lock()
	x := f.byName[w.name]
	if x == nil || x.number != w.number {
		f.mu.Unlock()
		return
	}
	if v.Type == '$' && !v.IsError() && !v.Null && x.seen == textOf(v.Str) {
		x.number = 0
		f.mu.Unlock()
		return
	}
	k := f.take(x)
	f.mu.Unlock()
	f.tell(k)
}

// changed takes what the upstream tells.
func (f *follows) changed(name *nearName) {
	f.mu.Lock()
	x := f.byName[*name]
	if x == nil || x.number != 0 {
		f.mu.Unlock()
		return
	}
	k := f.take(x)
	f.mu.Unlock()
	f.tell(k)
}

// changedAll is changed for everything that one node has.
func (f *follows) changedAll(l *link) {
	f.tell(f.takeAll(func(x *follow) bool { return x.from == l && x.number == 0 })...)
}

// lose ends what was to be told over a link, which has ended.
func (f *follows) lose(l *link) {
	f.mu.Lock()
	l.lost = true
	f.mu.Unlock()
	all := f.takeAll(func(x *follow) bool { return x.from == l })
	if len(all) == 0 {
		return
	}
	f.hearer.Lost(all)
	for _, k := range all {
		clear(k.Key)
	}
}

func (f *follows) takeAll(which func(*follow) bool) (all []Kept) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.byName {
		if which(x) {
			all = append(all, f.take(x))
		}
	}
	return all
}

// look tells of deadlines that have passed, which the upstream may be late with, and of what another node has now: the former
// one need not tell of that.
func (f *follows) look(now int64) {
	var all []Kept
	f.mu.Lock()
	for len(f.ends) > 0 && f.ends[0].end <= now {
		all = append(all, f.take(f.ends[0]))
	}
	layout := f.u.layout.Load()
	moved := layout != f.layout
	f.layout = layout
	f.mu.Unlock()
	if moved {
		all = append(all, f.takeAll(func(x *follow) bool { return f.u.nodeOf(f.u.slotOf(x.name[:])) != x.from.address })...)
	}
	f.tell(all...)
}

// followEnds orders follows by their ends, for container/heap.
type followEnds []*follow

func (e followEnds) Len() int           { return len(e) }
func (e followEnds) Less(i, j int) bool { return e[i].end < e[j].end }
func (e followEnds) Swap(i, j int)      { e[i], e[j] = e[j], e[i]; e[i].at, e[j].at = i, j }
func (e *followEnds) Push(x any)        { x.(*follow).at = len(*e); *e = append(*e, x.(*follow)) }
func (e *followEnds) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = nil
	*e = (*e)[:len(*e)-1]
	return last
}
