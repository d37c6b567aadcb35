package cli

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

// auditKey is the opening key of these tests.
func auditKey(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	scalar := sha256.Sum256([]byte("cli audit test"))
	key, err := ecdh.P256().NewPrivateKey(scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// auditLog writes a small log and returns its data directory.
func auditLog(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	seed := sha256.Sum256([]byte("cli audit signer"))
	l, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{
		Durability: audit.Process, Signer: ed25519.NewKeyFromSeed(seed[:]), OpeningKey: auditKey(t).PublicKey(),
		Now: func() time.Time { return time.UnixMilli(1_790_000_000_000) },
	})
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("TENANT001:patient:12345")
	var b audit.Batch
	for i, o := range []audit.Outcome{audit.Hit, audit.Miss, audit.Denied} {
		b.Add(&audit.Record{
			At: 1_790_000_000_000 + int64(i), Actor: &audit.Actor{User: "ward-3"}, Command: "GET", Action: audit.Read,
			Outcome: o, Tenant: "TENANT001", Category: "phi", Key: key, Subject: key[18:],
		})
	}
	if err := errors.Join(l.Commit(&b), l.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runAudit runs one `lethe audit` command line, with the opening key where open allows it.
func runAudit(t *testing.T, open openAudit, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newAuditCommand(&environment{stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}, open)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

func auditExitCode(err error) int {
	var f *failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f):
		return f.code
	}
	return exitUsage
}

// notedOpener notes that names were revealed.
type notedOpener struct {
	audit.Opener
	revealed []string
}

func (r *notedOpener) RecordReveal(detail string) error {
	r.revealed = append(r.revealed, detail)
	return nil
}

func TestAuditCommands(t *testing.T) {
	t.Parallel()
	dir := auditLog(t)
	opener, err := audit.NewOpener(auditKey(t))
	if err != nil {
		t.Fatal(err)
	}
	recording := &notedOpener{Opener: opener}
	open := func(string) (audit.Opener, error) { return recording, nil }
	f := func(args []string, code int, want ...string) string {
		t.Helper()
		out, errs, err := runAudit(t, open, append(args, "--data-dir", dir)...)
		if auditExitCode(err) != code {
			t.Errorf("%v exits with %d (%v), want %d", args, auditExitCode(err), err, code)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%v prints\n%swant %q in it", args, out, w)
			}
		}
		if errs != "" {
			t.Errorf("%v writes %q to standard error", args, errs)
		}
		return out
	}
	f([]string{"verify"}, 0, "ok: 5 records in 1 segments, sequence 1 to 5\n", "last checkpoint: 2026-09-21T14:13:20Z, 0 records after")
	f([]string{"verify", "--json"}, 0, `"ok":true`, `"records":5`, `"findings":[]`)
	out := f([]string{"search"}, 0, "SEQUENCE", "ward-3", "start", "stop", "denied")
	if strings.Contains(out, "12345") {
		t.Errorf("search shows a name:\n%s", out)
	}
	out = f([]string{"search", "--outcome", "hit", "--subject", "12345", "--json"}, 0, `"sequence":2`, `"outcome":"hit"`)
	var v audit.View
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.KeyName != "" || len(v.Entry) != 32 {
		t.Errorf("search --json prints %q", out)
	}
	f([]string{"search", "--subject", v.Subject}, 0, "denied")
	if len(recording.revealed) != 0 {
		t.Error("a reveal was recorded without one")
	}
	f([]string{"search", "--outcome", "hit", "--reveal"}, 0, "TENANT001:patient:12345")
	if len(recording.revealed) != 1 {
		t.Error("a reveal was not recorded")
	}
	if out := f([]string{"tail", "-n", "2"}, 0, "denied", "stop"); strings.Contains(out, "miss") {
		t.Errorf("tail -n 2 prints\n%s", out)
	}
	f([]string{"search", "--since", "1h"}, 0)
	f([]string{"search", "--action", "reed"}, 2)
	f([]string{"search", "--since", "yesterday"}, 2)
	f([]string{"search", "--limit", "-1"}, 2)
	f([]string{"tail", "-n", "-1"}, 2)
	f([]string{}, 2)
	kept := filepath.Join(t.TempDir(), "checkpoint")
	if err := os.WriteFile(kept, []byte(f([]string{"checkpoint"}, 0, "lethe-audit/", "\n5\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	f([]string{"verify", "--checkpoint", kept}, 0, "the log extends the given checkpoint")
	f([]string{"verify", "--checkpoint", kept, "--public-key", filepath.Join(dir, "audit", "audit.pub")}, 0, "extends")
	f([]string{"verify", "--checkpoint", kept + ".none"}, 2)

	seg := filepath.Join(dir, "audit", "audit-00000001.seg")
	text, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	text[500] ^= 1
	if err := os.WriteFile(seg, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f([]string{"verify"}, 1, "changed: segment 1, offset ", "not whole: ")
	f([]string{"verify", "--json"}, 1, `"ok":false`, `"kind":"changed"`)
	f([]string{"search"}, 1)
}

func TestAuditOpeningKeyFile(t *testing.T) {
	t.Parallel()
	dir := auditLog(t)
	closed := func(string) (audit.Opener, error) { return nil, errors.New("no key") }
	if _, _, err := runAudit(t, closed, "search", "--data-dir", dir); auditExitCode(err) != 1 {
		t.Errorf("search without a key gives %v", err)
	}
	text, err := audit.MarshalOpeningKey(auditKey(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "opening.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, err := runAudit(t, closed, "search", "--reveal", "--opening-key", file, "--data-dir", dir)
	if err != nil || !strings.Contains(out, "patient:12345") || !strings.Contains(errs, "without a record") {
		t.Errorf("search with a key file gives %q, %q, %v", out, errs, err)
	}
	if _, _, err := runAudit(t, closed, "verify", "--data-dir", t.TempDir()); auditExitCode(err) != 1 {
		t.Errorf("verify without a log gives %v", err)
	}
}
