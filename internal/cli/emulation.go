package cli

import (
	"errors"
	"slices"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
)

// emulation puts what Redis's own tests lean on into the command table, and lets tokens be as short as theirs, where the settings
// ask for it: never next to PHI.
func (s *serving) emulation(table *command.Table, directory *identity.Directory) (*command.Emulation, error) {
	if s.settings.RedisTests != "on" {
		return nil, nil
	}
	phi := func(r policy.Rule) bool { return r.Category.PHI }
	if s.policy.Unmatched().PHI || slices.ContainsFunc(s.policy.Rules(), phi) {
		return nil, errors.New("cannot start with redis_tests: the policy knows PHI, and with this setting clients can lift limits; use a policy without PHI, or turn it off")
	}
	s.log.Warn("redis_tests is on: clients can change limits, use DEBUG and set short tokens; this server is not for real data")
	e := command.NewEmulation()
	e.Adapt(table)
	directory.AllowShortTokens()
	return e, nil
}
