package cli

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/secret"
)

// openAuditLog opens the data directory's audit log for writing. The opening key is made with the directory, but only its
// public half stays with the server: what it wrote it cannot read.
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
	opening, err := openingKey(dir)
	if err != nil {
		return nil, err
	}
	durability := audit.Process
	if settings.Durability == config.DurabilityDisk {
		durability = audit.Disk
	}
	return audit.Open(dir.File("audit"), audit.Options{
		Durability: durability, SegmentBytes: settings.SegmentBytes, SegmentAge: settings.SegmentAge,
		Signer: ed25519.NewKeyFromSeed(seed.Reveal()), OpeningKey: opening.PublicKey(), Logger: log,
	})
}

// openingKey is the key that opens the audit log of a data directory, made on first use.
func openingKey(dir *secret.Dir) (*ecdh.PrivateKey, error) {
	held, err := dir.Key("audit-open", func() ([]byte, error) {
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
