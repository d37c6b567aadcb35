package gateway

import (
	"encoding/json"
	"errors"
	"sync"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/register"
)

// SharedNotices keeps what tenants want to be told of, which CONFIG SET notify-keyspace-events chooses at one gateway, the
// same at all of them: each tells the others of what it changes, if the tenant wants to know. Its methods may be called
// concurrently.
type SharedNotices struct {
	g *Gateway
	r *register.Register

	mu   sync.Mutex // one change of choices and register at a time
	seen uint64     // the choices that the register has, by Gateway.chosen
}

// ShareNotices joins the tenants' choices with a register that keeps texts. Those that it has are in force when it returns.
func (g *Gateway) ShareNotices(r *register.Register) *SharedNotices {
	s := &SharedNotices{g: g, r: r}
	for _, name := range r.Names() {
		e, _ := r.Get(name)
		s.use(&e)
	}
	return s
}

// use puts an entry in force here.
func (s *SharedNotices) use(e *register.Entry) {
	classes, ok := command.ParseNotices([]byte(e.Content))
	if t := s.g.Tenant(e.Name); ok && t != nil {
		t.notices.Store(uint32(classes))
	}
}

// Look notices what was chosen here. It costs one load where nothing was.
func (s *SharedNotices) Look() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look()
}

func (s *SharedNotices) look() error {
	chosen := s.g.chosen.Load()
	if chosen == s.seen && s.r.Begun() {
		return nil
	}
	texts := map[string]string{}
	for _, t := range s.g.Tenants() {
		if classes := t.noticeClasses(); classes != 0 {
			texts[t.Name] = classes.String()
		}
	}
	_, err := s.r.Observe(texts, s.g.Clock.Wall())
	if err == nil {
		s.seen = chosen
	}
	return err
}

// Name is what is shared.
func (s *SharedNotices) Name() string { return "notices" }

// State is the register's.
func (s *SharedNotices) State() (known map[string]uint64, digest string) { return s.r.State() }

// Since returns changes of a gateway behind a number, encoded.
func (s *SharedNotices) Since(gateway string, after uint64) (body []byte, through uint64) {
	b, ok := s.r.Since(gateway, after, usersInOne)
	if !ok {
		return nil, 0
	}
	return encodeNews(&b), b.Through
}

// Accept puts what was chosen at another gateway in force.
func (s *SharedNotices) Accept(body []byte) error {
	var b register.Batch
	if err := json.Unmarshal(body, &b); err != nil {
		return errors.New("cannot read what tenants want to be told of")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.r.Begun() {
		if err := s.look(); err != nil { // what was chosen here a moment ago
			return err
		}
	}
	wins, fits := s.r.Wins(&b)
	if !fits {
		return nil // what is before it comes again, and it too
	}
	if err := s.r.Take(&b); err != nil {
		return err
	}
	for i := range wins {
		s.use(&wins[i])
	}
	return nil
}
