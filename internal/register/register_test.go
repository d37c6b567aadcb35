package register_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/register"
)

type clock struct{ now int64 }

func (c *clock) Now() int64 { return c.now }

// site is a register with the texts that it is of.
type site struct {
	*register.Register
	t     *testing.T
	o     register.Options
	clock *clock
	texts map[string]string
}

func newSite(t *testing.T, name string, texts map[string]string) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{now: 1000}, texts: texts}
	s.o = register.Options{Path: filepath.Join(t.TempDir(), "register"), Origin: name, Clock: s.clock}
	s.open()
	return s
}

func (s *site) open() {
	s.t.Helper()
	r, err := register.Open(s.o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Register = r
}

// observe notes the texts as they are now.
func (s *site) observe() []register.Entry {
	s.t.Helper()
	changed, err := s.Observe(s.texts, s.clock.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return changed
}

// change changes one text at an instant; "" removes it.
func (s *site) change(at int64, name, text string) {
	s.t.Helper()
	s.clock.now = at
	if s.texts[name] = text; text == "" {
		delete(s.texts, name)
	}
	s.observe()
}

// from takes everything that another site has and this one lacks.
func (s *site) from(other *site) {
	s.t.Helper()
	for origin := range other.Known() {
		for {
			b, ok := other.Since(origin, s.Known()[origin], 1)
			if !ok {
				break
			}
			s.take(&b)
		}
	}
	known, digest := other.State()
	if mine, own := s.State(); fmt.Sprint(mine) == fmt.Sprint(known) && own != digest {
		for origin := range known {
			b, _ := other.Since(origin, 0, 1<<20)
			s.take(&b)
		}
	}
	if again := s.observe(); len(again) != 0 {
		s.t.Errorf("%s takes what it was told for its own: %+v", s.o.Origin, again)
	}
}

func (s *site) take(b *register.Batch) {
	s.t.Helper()
	wins, fits := s.Wins(b)
	if !fits {
		s.t.Fatalf("%+v does not fit", b)
	}
	for _, e := range wins {
		if s.texts[e.Name] = e.Content; e.Gone {
			delete(s.texts, e.Name)
		}
	}
	if err := s.Take(b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) has(want string) {
	s.t.Helper()
	var all []string
	for name, text := range s.texts {
		all = append(all, name+"="+text)
	}
	slices.Sort(all)
	if got := strings.Join(all, " "); got != want {
		s.t.Errorf("%s has %q, want %q", s.o.Origin, got, want)
	}
}

func TestTheLaterChangeStands(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", map[string]string{"x": "0"}), newSite(t, "b", map[string]string{"x": "0"})
	a.observe()
	b.from(a)
	a.change(2000, "x", "older")
	b.change(2001, "x", "newer")
	a.from(b)
	b.from(a)
	a.has("x=newer")
	b.has("x=newer")
	b.change(2002, "x", "")
	a.clock.now = 1500 // its clock is behind, and what it changes knows of the removal
	a.from(b)
	a.has("")
	a.change(1500, "x", "again")
	b.from(a)
	b.has("x=again")
}

// A removal is not undone by a change that is older, wherever that comes from, and whenever.
func TestARemovalStandsAgainstOlderChanges(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", map[string]string{"x": "0"}), newSite(t, "b", map[string]string{})
	a.observe()
	b.from(a)
	b.change(2000, "x", "older")
	a.change(3000, "x", "")
	a.from(b)
	a.has("")
	b.from(a)
	b.has("")
	c := newSite(t, "c", map[string]string{"x": "an old copy", "y": "its own"})
	c.clock.now = 9000
	c.observe() // nobody was there to ask: what it has is its base
	a.from(c)
	c.from(a)
	a.has("y=its own")
	c.has("y=its own")
}

// A gateway that begins beside others takes theirs first; only what none of them knows is its own.
func TestANewRegisterBeginsWithTheOthers(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", map[string]string{"x": "0", "y": "0"}), newSite(t, "b", map[string]string{"x": "old", "z": "own"})
	a.observe()
	a.change(2000, "y", "")
	batch, _ := a.Since("a", 0, 1<<20)
	if b.take(&batch); b.Begun() {
		t.Error("it has begun before it was told what it has")
	}
	b.observe()
	b.has("x=0 z=own")
	a.from(b)
	a.has("x=0 z=own")
}

// What is on the disk is known after a start; a change that was made meanwhile is noticed as of when it was made.
func TestRestart(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", map[string]string{"x": "0", "y": "0"}), newSite(t, "b", map[string]string{})
	a.observe()
	b.from(a)
	b.change(5000, "y", "later at b")
	a.texts = map[string]string{"x": "changed while it was down", "y": "earlier at a"}
	a.open()
	a.clock.now = 9000
	if changed, err := a.Observe(a.texts, 3000); err != nil || len(changed) != 2 || changed[0].At != 3000 {
		t.Errorf("%+v, %v", changed, err)
	}
	a.from(b)
	b.from(a)
	a.has("x=changed while it was down y=later at b")
	b.has("x=changed while it was down y=later at b")
}

// A register that was put back from a backup learns its own changes from the others, and gives no number twice.
func TestABackupOfARegister(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", map[string]string{"x": "0"}), newSite(t, "b", map[string]string{})
	a.observe()
	old, err := os.ReadFile(a.o.Path)
	if err != nil {
		t.Fatal(err)
	}
	a.change(2000, "x", "1")
	b.from(a)
	if err := os.WriteFile(a.o.Path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	a.texts = map[string]string{"x": "0"}
	a.open()
	a.observe()
	a.change(3000, "y", "new")
	b.from(a)
	a.from(b)
	a.has("x=1 y=new")
	b.has("x=1 y=new")
}

// Whatever is changed where, in whatever order it is told and in pieces: all end with the same.
func TestAllEndWithTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		sites := []*site{newSite(t, "a", map[string]string{}), newSite(t, "b", map[string]string{}), newSite(t, "c", map[string]string{})}
		now := int64(10_000)
		for range 60 {
			s := sites[r.IntN(3)]
			if r.IntN(2) == 0 {
				now += int64(r.IntN(3))
				text := fmt.Sprint(r.IntN(4))
				if text == "0" {
					text = ""
				}
				s.change(now-int64(r.IntN(5)), "n"+fmt.Sprint(r.IntN(5)), text)
			} else if other := sites[r.IntN(3)]; other != s {
				s.from(other)
			}
		}
		for range 2 {
			for _, s := range sites {
				for _, other := range sites {
					s.from(other)
				}
			}
		}
		want := fmt.Sprint(sites[0].texts)
		for _, s := range sites[1:] {
			if got := fmt.Sprint(s.texts); got != want {
				t.Fatalf("seed %d: %s and %s", seed, got, want)
			}
		}
	}
}

// What others send is held to its form, and changes in between are not skipped.
func TestBrokenBatchesAreRefused(t *testing.T) {
	t.Parallel()
	f := func(b register.Batch) {
		t.Helper()
		a := newSite(t, "a", map[string]string{})
		if _, fits := a.Wins(&b); fits {
			t.Errorf("%+v is taken", b)
		}
		if err := a.Take(&b); err == nil || len(a.Known()) != 0 {
			t.Errorf("%+v is noted: %v", b, a.Known())
		}
	}
	x := register.Entry{Name: "x", Content: "1", Origin: "b", Number: 5, At: 1}
	with := func(change func(e *register.Entry)) register.Batch {
		e := x
		change(&e)
		return register.Batch{Origin: "b", Through: 9, Entries: []register.Entry{e}}
	}
	f(register.Batch{})
	f(register.Batch{Origin: "b", After: 3, Through: 9, Entries: []register.Entry{x}})
	f(register.Batch{Origin: strings.Repeat("b", 65), Through: 9})
	f(with(func(e *register.Entry) { e.Origin = "c" }))
	f(with(func(e *register.Entry) { e.Number = 10 }))
	f(with(func(e *register.Entry) { e.Number = 0 }))
	f(with(func(e *register.Entry) { e.Name = "" }))
	f(with(func(e *register.Entry) { e.Gone = true }))
	f(with(func(e *register.Entry) { e.Content = "" }))
}

func TestARegisterThatIsNoneStopsTheStart(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{}", `{"version":2,"known":{}}`, "x"} {
		path := filepath.Join(t.TempDir(), "register")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := register.Open(register.Options{Path: path, Origin: "a", Clock: &clock{}}); err == nil {
			t.Errorf("%q is taken", content)
		}
	}
}

// Of texts with versions the greater one stands, whenever it was put; a text of the same version has to be newer.
func TestVersions(t *testing.T) {
	t.Parallel()
	a, b := newSite(t, "a", nil), newSite(t, "b", nil)
	take := func(to, from *site) {
		t.Helper()
		if batch, ok := from.Since(from.o.Origin, to.Known()[from.o.Origin], 1<<20); ok {
			if err := to.Take(&batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(s *site, at int64, text string, version int64, want bool) {
		t.Helper()
		s.clock.now = at
		if err := s.Put("p", text, version); (err == nil) != want {
			t.Errorf("%s puts %s: %v", s.o.Origin, text, err)
		}
	}
	has := func(want string) {
		t.Helper()
		take(a, b)
		take(b, a)
		for _, s := range []*site{a, b} {
			if e, _ := s.Get("p"); e.Content != want {
				t.Errorf("%s has %q, want %q", s.o.Origin, e.Content, want)
			}
		}
	}
	put(a, 2000, "two", 2, true)
	put(b, 3000, "one, later", 1, true)
	has("two")
	put(b, 4000, "one again", 1, false)
	put(b, 1000, "two anew, by a slow clock", 2, true)
	has("two anew, by a slow clock")
}
