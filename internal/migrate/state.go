package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is what a run that was interrupted goes on from: cursors and counts.
type state struct {
	Version int `json:"version"`
	// Job is a digest of what is copied, by which policy, to where: another job does not go on from this one.
	Job    string  `json:"job"`
	Nodes  []*node `json:"nodes"`
	Report *Report `json:"report"`
}

// node is how far one of the source's primaries is.
type node struct {
	Address string `json:"address"`
	RunID   string `json:"run_id"` // of the process: a cursor means nothing to another one
	Cursor  uint64 `json:"cursor"`
	Done    bool   `json:"done"`
}

const stateVersion = 1

// ErrOtherJob says that a state file belongs to another job.
var ErrOtherJob = errors.New("the state file is that of another source, target, policy or way of copying")

// readState returns what an earlier run has left, nil if there is none.
func readState(path, job string) (*state, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the state file: %w", err)
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil || s.Version != stateVersion || s.Report == nil {
		return nil, errors.New("cannot use the state file: it is not one of this version")
	}
	if s.Job != job {
		return nil, ErrOtherJob
	}
	return s, nil
}

// write replaces the file in one step, so that a kill leaves the old one or the new one.
func (s *state) write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the state file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".lethe-migrate-*")
	if err != nil {
		return fmt.Errorf("cannot write the state file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the state file: %w", err)
	}
	return nil
}

// adopt takes the nodes that there are now and keeps what is known of those that are still the same processes.
func (s *state) adopt(now []*node) {
	for _, n := range now {
		for _, old := range s.Nodes {
			if old.Address == n.Address && old.RunID == n.RunID && n.RunID != "" {
				n.Cursor, n.Done = old.Cursor, old.Done
			}
		}
	}
	s.Nodes = now
}
