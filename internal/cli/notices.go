package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/secret"
)

// A notice is something that a command did while a server had the audit log, which has one writer: it is left sealed in
// the data directory, and the server records it within a second. That the names were shown before it is recorded is the
// price; a notice that is removed in that second is what the operating system's own audit is for.
type notice struct {
	At     int64  `json:"at"` // Unix milliseconds
	User   string `json:"user"`
	Detail string `json:"detail"`
}

const (
	noticesDir    = "notices"
	noticePurpose = "audit notice"
	maxNotices    = 1000
)

// leaveNotice leaves a notice for the server.
func leaveNotice(dir *secret.Dir, detail string) error {
	plain, err := json.Marshal(notice{time.Now().UnixMilli(), strconv.Itoa(os.Getuid()), detail})
	if err != nil {
		return err
	}
	sealed, err := dir.Seal(noticePurpose, plain)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir.File(noticesDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot leave a notice for the server: %w", err)
	}
	return secret.WriteFile(filepath.Join(dir.File(noticesDir), rand.Text()), sealed)
}

// takeNotices records the notices that were left and removes them.
func (s *serving) takeNotices() {
	entries, err := os.ReadDir(s.dir.File(noticesDir))
	if err != nil {
		return // nobody has left any
	}
	for _, e := range entries[:min(len(entries), maxNotices)] {
		path := filepath.Join(s.dir.File(noticesDir), e.Name())
		r := audit.Record{At: time.Now().UnixMilli(), Action: audit.Reveal, Outcome: audit.OK, Detail: "unreadable-notice"}
		if n, err := s.readNotice(path); err == nil {
			r.At, r.Detail = n.At, n.Detail
			r.Actor = &audit.Actor{User: n.User, Method: "command line"}
		}
		var b audit.Batch
		b.Add(&r)
		if s.audit.Commit(&b) != nil {
			return // later, when records can be written
		}
		if err := os.Remove(path); err != nil {
			s.log.Error("a notice cannot be removed", "error", err)
			return
		}
	}
}

func (s *serving) readNotice(path string) (n notice, err error) {
	sealed, err := secret.ReadFile(path)
	if err != nil {
		return n, err
	}
	plain, err := s.dir.Open(noticePurpose, sealed)
	if err != nil {
		return n, err
	}
	defer plain.Clear()
	return n, json.Unmarshal(plain.Reveal(), &n)
}
