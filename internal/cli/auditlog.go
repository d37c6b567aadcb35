package cli

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/secret"
)

// openAuditLog opens the data directory's audit log for writing. The server uses the public half of the opening key only:
// what it wrote it cannot read.
func openAuditLog(dir *secret.Dir, settings config.Audit, log *slog.Logger) (*audit.Log, error) {
	seed, err := dir.Key("audit-sign", func() ([]byte, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return key.Seed(), nil
	})
	if err != nil {
		return nil, err
	}
	defer seed.Clear()
	opening, err := openingPublicKey(dir)
	if err != nil {
		return nil, err
	}
	durability := audit.Process
	if settings.Durability == config.DurabilityDisk {
		durability = audit.Disk
	}
	trail, err := audit.Open(dir.File("audit"), audit.Options{
		Durability: durability, SegmentBytes: settings.SegmentBytes, SegmentAge: settings.SegmentAge,
		Signer: ed25519.NewKeyFromSeed(seed.Reveal()), OpeningKey: opening, Logger: log,
	})
	if errors.Is(err, audit.ErrLocked) {
		return nil, fail(exitFailure, "another lethe serves this data directory: stop it, or give --data-dir another one", err)
	}
	return trail, err
}

// The opening key's halves. The private one may be taken away to where the log is read (`lethe audit opening-key`); the
// public one stays, and keeps a new pair from being made in its place.
const (
	openingKeyName   = "audit-open"
	openingKeyPublic = "audit-open.pub"
)

var errKeyAway = errors.New("the key that opens the audit log is not in the data directory")

// openingPublicKey is what data keys are sealed to. The pair is made on first use.
func openingPublicKey(dir *secret.Dir) (*ecdh.PublicKey, error) {
	path := dir.File(openingKeyPublic)
	held, err := secret.ReadFile(path)
	if err == nil {
		key, err := ecdh.P256().NewPublicKey(held)
		if err != nil {
			return nil, fmt.Errorf("cannot use the public opening key of the audit log: %w", err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := makeOpeningKey(dir)
	if err != nil {
		return nil, err
	}
	return key.PublicKey(), secret.WriteFile(path, key.PublicKey().Bytes())
}

// openingKey is the key that opens the audit log of a data directory.
func openingKey(dir *secret.Dir) (*ecdh.PrivateKey, error) {
	if _, err := openingPublicKey(dir); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(dir.File(openingKeyName + ".key")); errors.Is(err, fs.ErrNotExist) {
		return nil, fail(exitFailure, "give the file where it is kept with --opening-key FILE", errKeyAway)
	}
	return makeOpeningKey(dir)
}

func makeOpeningKey(dir *secret.Dir) (*ecdh.PrivateKey, error) {
	held, err := dir.Key(openingKeyName, func() ([]byte, error) {
		key, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return key.Bytes(), nil
	})
	if err != nil {
		return nil, err
	}
	defer held.Clear()
	key, err := ecdh.P256().NewPrivateKey(held.Reveal())
	if err != nil {
		return nil, fmt.Errorf("cannot use the opening key of the audit log: %w", err)
	}
	return key, nil
}

// exportOpeningKey gives the opening key of a data directory as PEM.
func exportOpeningKey(dataDir string) ([]byte, error) {
	dir, err := secret.OpenDir(dataDir)
	if err != nil {
		return nil, err
	}
	key, err := openingKey(dir)
	if err != nil {
		return nil, err
	}
	return audit.MarshalOpeningKey(key)
}

// auditOpener opens the audit log of a data directory for reading, for the audit commands.
func auditOpener(dataDir string) (audit.Opener, error) {
	dir, err := secret.OpenDir(dataDir)
	if err != nil {
		return nil, err
	}
	key, err := openingKey(dir)
	if err != nil {
		return nil, err
	}
	opener, err := audit.NewOpener(key)
	return &recordingOpener{Opener: opener, dir: dir}, err
}

// recordingOpener opens the audit log and can have it recorded that names were read out of it.
type recordingOpener struct {
	audit.Opener
	dir *secret.Dir
}

// RecordReveal has it recorded who reads names: in the log, or by the server that has the log.
func (r *recordingOpener) RecordReveal(detail string) error {
	log, err := openAuditLog(r.dir, config.Audit{Durability: config.DurabilityDisk}, slog.New(slog.DiscardHandler))
	if errors.Is(err, audit.ErrLocked) {
		return leaveNotice(r.dir, detail)
	}
	if err != nil {
		return err
	}
	var b audit.Batch
	b.Add(&audit.Record{
		At: time.Now().UnixMilli(), Actor: &audit.Actor{User: strconv.Itoa(os.Getuid()), Method: "command line"},
		Action: audit.Reveal, Outcome: audit.OK, Detail: detail,
	})
	return errors.Join(log.Commit(&b), log.Close())
}
