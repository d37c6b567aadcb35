package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// treeModel is an idTree and what must be in it.
type treeModel struct {
	t    *testing.T
	m    idMap[uint32]
	want []StreamID
}

func (l *treeModel) insert(id StreamID) {
	at, there := slices.BinarySearchFunc(l.want, id, StreamID.Compare)
	if there {
		return
	}
	l.want = slices.Insert(l.want, at, id)
	l.m.insert(id, uint32(id.Ms*7+id.Seq))
}

func (l *treeModel) remove(id StreamID) {
	l.t.Helper()
	at, there := slices.BinarySearchFunc(l.want, id, StreamID.Compare)
	if there {
		l.want = slices.Delete(l.want, at, at+1)
	}
	if l.m.remove(id) != there {
		l.t.Fatalf("removing an id says %v", !there)
	}
}

// check walks both ways and looks places up.
func (l *treeModel) check(pick *rand.Rand) {
	l.t.Helper()
	if l.m.len() != len(l.want) {
		l.t.Fatalf("%d ids, want %d", l.m.len(), len(l.want))
	}
	i := 0
	for c := l.m.first(); c.leaf != 0; c = l.m.next(c) {
		if id, v := l.m.at(c); i >= len(l.want) || id != l.want[i] || *v != uint32(id.Ms*7+id.Seq) {
			l.t.Fatalf("a walk up differs at %d of %d", i, len(l.want))
		}
		i++
	}
	for c := l.m.last(); c.leaf != 0; c = l.m.previous(c) {
		i--
		if id, _ := l.m.at(c); id != l.want[i] {
			l.t.Fatalf("a walk down differs at %d", i)
		}
	}
	if i != 0 {
		l.t.Fatalf("a walk down ends %d early", i)
	}
	for range 50 {
		id := StreamID{pick.Uint64N(2000), pick.Uint64N(3)}
		at, there := slices.BinarySearchFunc(l.want, id, StreamID.Compare)
		if (l.m.find(id) != nil) != there {
			l.t.Fatalf("finding an id says %v", !there)
		}
		l.isAt(l.m.from(id), at)
		if !there {
			at--
		}
		l.isAt(l.m.upTo(id), at)
	}
}

func (l *treeModel) isAt(c idCursor, at int) {
	l.t.Helper()
	if there := at >= 0 && at < len(l.want); there != (c.leaf != 0) {
		l.t.Fatalf("a place is there: %v, want %v", !there, there)
	} else if there {
		if id, _ := l.m.at(c); id != l.want[at] {
			l.t.Fatalf("a place holds another id")
		}
	}
}

func TestIDTree(t *testing.T) {
	for seed := range uint64(8) {
		a := newArena()
		l := &treeModel{t: t, m: idMap[uint32]{a, &idTree{}}}
		pick := rand.New(rand.NewPCG(seed, 1))
		for round := range 60 {
			for range pick.IntN(400) {
				id := StreamID{pick.Uint64N(2000), pick.Uint64N(3)}
				switch {
				case round%3 == 0:
					l.remove(id)
				case round%3 == 1 && len(l.want) > 0 && l.want[len(l.want)-1] != (StreamID{1999, 2}):
					next, _ := l.want[len(l.want)-1].Next()
					l.insert(next)
				default:
					l.insert(id)
				}
			}
			l.check(pick)
		}
		if a.used > int64(len(l.want)*100+4096) {
			t.Errorf("%d ids take %d bytes", len(l.want), a.used)
		}
		slices.SortFunc(l.want, func(x, y StreamID) int { return int(x.Ms%17) - int(y.Ms%17) })
		for _, id := range slices.Clone(l.want) {
			l.m.remove(id)
		}
		if a.used != 0 || l.m.len() != 0 {
			t.Errorf("an empty tree takes %d bytes", a.used)
		}
		a.close()
	}
}

// TestIDTreeInOrder fills a tree in order, as streams do, and empties it from the front, as trimming does.
func TestIDTreeInOrder(t *testing.T) {
	a := newArena()
	defer a.close()
	m := idMap[ref]{a, &idTree{}}
	const n = 20_000
	for i := range uint64(n) {
		m.insert(StreamID{i, 0}, ref(i))
	}
	if perID := float64(a.used) / n; perID > 21.5 {
		t.Errorf("%.1f bytes an id, of which 20 are its own", perID)
	}
	for i := range uint64(n) {
		if !m.remove(StreamID{i, 0}) {
			t.Fatal("an id is not there")
		}
	}
	if a.used != 0 {
		t.Errorf("%d bytes are left", a.used)
	}
}

func TestIDTreeDrain(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 50, 51, 3000, 130_000} {
		a := newArena()
		m := idMap[ref]{a, &idTree{}}
		for i := range n {
			m.insert(StreamID{uint64(i), 0}, a.alloc(16))
		}
		calls := 1
		for ; m.drain(100, func(r ref) { a.free(r, 16) }) <= 0; calls++ {
		}
		if a.used != 0 || m.tree.root != 0 {
			t.Errorf("%d bytes of %d ids are left", a.used, n)
		}
		if calls < n/100 || calls > n/90+2 {
			t.Errorf("%d ids took %d calls", n, calls)
		}
		a.close()
	}
}
