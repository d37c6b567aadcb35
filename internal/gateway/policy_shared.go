package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/register"
)

// SharedPolicy keeps one policy in force at all gateways: that with the greatest version which any of them was given. Its
// methods may be called concurrently. docs/design/0007-fleet.md has the reasons.
type SharedPolicy struct {
	g *Gateway
	r *register.Register

	mu sync.Mutex // one change of policy and register at a time
}

const (
	policyName = "policy"
	// maxSharedPolicy bounds a policy that gateways can tell each other, in bytes of its canonical form.
	maxSharedPolicy = 512 << 10
)

// ErrOlderPolicy is returned for a policy that does not come after the one in force.
var ErrOlderPolicy = errors.New("the policy is not the one in force, and its version is not greater")

// SharePolicy joins the policy with a register that keeps texts. What the register has from before is in force when it
// returns, unless the policy of the file has a greater version.
func (g *Gateway) SharePolicy(r *register.Register) (*SharedPolicy, error) {
	s := &SharedPolicy{g: g, r: r}
	if len(g.Policy().YAML()) > maxSharedPolicy {
		return nil, fmt.Errorf("cannot share a policy of more than %d bytes between gateways", maxSharedPolicy)
	}
	if e, ok := r.Get(policyName); ok && e.Version >= g.Policy().Version() {
		return s, s.use(&e, "the register")
	}
	return s, nil
}

// Begin offers the policy of this gateway's file when the others have told theirs. Alone says that nobody is there: then the
// file is the policy, whatever was in force before, unless that has a greater version.
func (s *SharedPolicy) Begin(file *policy.Policy, alone bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.r.Get(policyName)
	if ok && alone && e.Version == file.Version() && e.Content != string(file.YAML()) {
		return s.put(file)
	}
	return s.offer(file)
}

// Offer puts a policy in force at all gateways if its version is greater than that of the one in force: ErrOlderPolicy, if
// it is another one and that is not so. The policy itself stays the caller's.
func (s *SharedPolicy) Offer(p *policy.Policy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offer(p)
}

func (s *SharedPolicy) offer(p *policy.Policy) error {
	switch e, ok := s.r.Get(policyName); {
	case ok && e.Content == string(p.YAML()):
		return nil
	case ok && e.Version >= p.Version():
		return ErrOlderPolicy
	}
	return s.put(p)
}

// put puts a policy in force here, and has the others told. s.mu is held.
func (s *SharedPolicy) put(p *policy.Policy) error {
	if len(p.YAML()) > maxSharedPolicy {
		return fmt.Errorf("cannot share a policy of more than %d bytes between gateways", maxSharedPolicy)
	}
	e := register.Entry{Content: string(p.YAML()), Version: p.Version()}
	if err := s.use(&e, "the file"); err != nil {
		return err
	}
	return s.r.Put(policyName, e.Content, e.Version)
}

// use puts the policy of an entry in force here. Who is where it comes from. s.mu is held, or nobody else knows s.
func (s *SharedPolicy) use(e *register.Entry, who string) error {
	if e.Content == string(s.g.Policy().YAML()) {
		return nil
	}
	p, mistakes := policy.Parse([]byte(e.Content))
	if len(mistakes) > 0 {
		return errors.New("cannot use the policy of another gateway: this Lethe does not know all of it")
	}
	if err := s.g.UsePolicy(p); err != nil {
		return err
	}
	s.g.Log.Info("another policy is in force", "policy", p.Hash(), "policy_version", p.Version(), "from", who)
	var b audit.Batch
	b.Add(&audit.Record{At: s.g.Clock.Wall(), Actor: s.g.system, Action: audit.Configure, Outcome: audit.OK,
		Detail: "policy=" + p.Hash() + " version=" + strconv.FormatInt(p.Version(), 10)})
	if err := s.g.Audit.Commit(&b); err != nil {
		s.g.Log.Error("the audit log cannot be written; commands are refused until it can", "error", err)
	}
	return nil
}

// Name is what is shared.
func (s *SharedPolicy) Name() string { return policyName }

// State is the register's.
func (s *SharedPolicy) State() (known map[string]uint64, digest string) { return s.r.State() }

// Since returns changes of a gateway behind a number, encoded.
func (s *SharedPolicy) Since(gateway string, after uint64) (body []byte, through uint64) {
	b, ok := s.r.Since(gateway, after, maxSharedPolicy)
	if !ok {
		return nil, 0
	}
	return encodeNews(&b), b.Through
}

// Accept puts another gateway's policy in force, if it comes after the one here.
func (s *SharedPolicy) Accept(body []byte) error {
	var b register.Batch
	if err := json.Unmarshal(body, &b); err != nil {
		return errors.New("cannot read a change of the policy")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wins, fits := s.r.Wins(&b)
	if !fits {
		return nil // what is before it comes again, and it too
	}
	for i := range wins {
		if wins[i].Name != policyName || wins[i].Gone {
			return errors.New("cannot take a change of the policy that is none")
		}
		if err := s.use(&wins[i], b.Origin); err != nil {
			return err
		}
	}
	return s.r.Take(&b)
}
