package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/register"
)

const (
	// policyRegister is the file that has the policy which all gateways have in force.
	policyRegister = "policy.register"
	// lookAtPolicyEvery is how often the policy file is looked at. It is read when two looks have found it the same, so that
	// a file that is being written is not taken for a short one.
	lookAtPolicyEvery = 200 * time.Millisecond
)

// sharePolicy makes the policy of all gateways the same.
func (s *serving) sharePolicy() (*gateway.SharedPolicy, error) {
	r, err := register.Open(register.Options{Path: s.dir.File(policyRegister), Origin: s.consents.keeper.Name(), Clock: s.front.clock, Keeps: true, Grown: s.front.grown})
	if err != nil {
		return nil, fail(exitFailure, "restore the file from a backup, or remove it: then the other gateways' policy is taken", err)
	}
	return s.gateway.SharePolicy(r)
}

// beginPolicy offers the policy of the file to the others, and looks after the file from then on.
func (s *serving) beginPolicy(rules *gateway.SharedPolicy, alone bool) error {
	err := rules.Begin(s.policy, alone)
	if err != nil && !errors.Is(err, gateway.ErrOlderPolicy) {
		return fmt.Errorf("cannot put the policy in force: %w", err)
	}
	w := policyFile{path: s.settings.Policy, server: s, rules: rules}
	w.tell(err)
	if w.path == "" {
		return nil
	}
	w.read, _ = os.Stat(w.path)
	w.seen = w.read
	s.front.parts.Go(func() { every(s.front.context, lookAtPolicyEvery, w.look) })
	return nil
}

// policyFile is the policy file of a gateway that runs. It is for one goroutine.
type policyFile struct {
	path       string
	server     *serving
	rules      *gateway.SharedPolicy
	seen, read os.FileInfo // what it was at the last look, and when it was read last; nil: it was not there
}

// look takes up a policy file that has changed and is whole.
func (w *policyFile) look() {
	now, err := os.Stat(w.path)
	if err != nil {
		return // it is being exchanged; what is in force stays so
	}
	settled := sameFile(now, w.seen)
	if w.seen = now; !settled || sameFile(now, w.read) {
		return
	}
	w.read = now
	p, err := servedPolicy(w.path)
	if err == nil {
		err = w.rules.Offer(p)
	}
	w.tell(err)
}

// tell says what became of the file, once.
func (w *policyFile) tell(err error) {
	log := w.server.log
	switch {
	case errors.Is(err, gateway.ErrOlderPolicy):
		log.Warn("the policy file is not in force: the gateways' policy is another one, and the file's version is not greater",
			"policy", w.server.gateway.Policy().Hash(), "policy_version", w.server.gateway.Policy().Version())
	case err != nil:
		log.Error("the policy file cannot be used; the policy in force stays so", "error", err)
	}
}

func sameFile(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
