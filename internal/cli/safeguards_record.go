package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/secret"
)

// safeguardsState is what remediation keeps in DIR/safeguards of the data directory: an audit chain of its own, since the
// server's has one writer and an intention has to be in the chain before the deed; tokens; the kill switch.
type safeguardsState struct {
	dir   *secret.Dir
	audit *audit.Log
	kill  string
}

func openSafeguardsState(env *environment, dataDir, kill string) (*safeguardsState, error) {
	path := config.DataDir(dataDir, env.getenv)
	if path == "" {
		return nil, fail(exitUsage, "give --data-dir DIR", errors.New("no data directory is known"))
	}
	dir, err := secret.OpenDir(filepath.Join(path, "safeguards"))
	if err != nil {
		return nil, fail(exitFailure, secret.Hint(err), err)
	}
	s := &safeguardsState{dir: dir, kill: kill}
	if s.kill == "" {
		s.kill = dir.File("stop")
	}
	s.audit, err = openAuditLog(dir, config.Audit{Durability: config.DurabilityDisk}, slog.New(slog.DiscardHandler))
	if errors.Is(err, audit.ErrLocked) {
		return nil, fail(exitFailure, "only one apply or watch runs at a time on a data directory", err)
	}
	return s, err
}

func (s *safeguardsState) Close() error { return s.audit.Close() }

// Record is remedy.Recorder's: the event is on the disk when it returns nil.
func (s *safeguardsState) Record(e remedy.Event) error {
	outcome, ok := map[remedy.Stage]audit.Outcome{
		remedy.Intended: audit.Intended, remedy.Did: audit.OK, remedy.Refused: audit.Refused, remedy.Failed: audit.Failed, remedy.Began: audit.Intended,
	}[e.Stage]
	if !ok {
		panic("BUG: an event of remediation without a stage")
	}
	var b audit.Batch
	b.Add(&audit.Record{
		At: e.At.UnixMilli(), Actor: &audit.Actor{User: strconv.Itoa(os.Getuid()), Method: "command line"}, Command: "SAFEGUARDS",
		Action: audit.Admin, Outcome: outcome, Key: []byte(e.Resource.Name),
		Detail: fmt.Sprintf("action=%s step=%s entry=%s why=%s exclusions=%s", e.Action, e.Step, e.Entry, e.Why, e.Exclusions),
	})
	return s.audit.Commit(&b)
}

// errKillSwitch says that the file is there.
var errKillSwitch = errors.New("the kill switch is on")

// stopped is the kill switch: a file that is there, or whose absence cannot be told, stops everything.
func (s *safeguardsState) stopped() error {
	_, err := os.Lstat(s.kill)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot read the kill switch: %w", err)
	default:
		return errKillSwitch
	}
}

// Keep is remedy.Tokens': a file of mode 0600 for each rotation, from which the operator gives the token to the clients.
func (s *safeguardsState) Keep(entry string, token []byte) error {
	return secret.WriteFile(s.tokenFile(entry), token)
}

// Load is remedy.Tokens'.
func (s *safeguardsState) Load(entry string) ([]byte, error) {
	return secret.ReadFile(s.tokenFile(entry))
}

func (s *safeguardsState) tokenFile(entry string) string { return s.dir.File("token-" + entry) }
