package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// A checkpoint is a signed note (golang.org/x/mod/sumdb/note) over the end of the chain. Its text has four lines: the
// log's name, the sequence of its last record, the chain's hash in base64, and the time.

const timeLayout = "2006-01-02T15:04:05.000Z"

// Checkpoint is what a signed checkpoint says.
type Checkpoint struct {
	Log      string // name of the log
	Sequence uint64 // records that had been written
	Chain    [chainBytes]byte
	At       time.Time
}

func (c *Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", c.Log, c.Sequence, base64.StdEncoding.EncodeToString(c.Chain[:]),
		c.At.UTC().Format(timeLayout))
}

var errCheckpoint = errors.New("the checkpoint cannot be read")

// parseCheckpoint reads the text of a note whose signature was verified.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return Checkpoint{}, errCheckpoint
	}
	sequence, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return Checkpoint{}, errCheckpoint
	}
	chain, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(chain) != chainBytes {
		return Checkpoint{}, errCheckpoint
	}
	at, err := time.Parse(timeLayout, lines[3])
	if err != nil {
		return Checkpoint{}, errCheckpoint
	}
	c := Checkpoint{Log: lines[0], Sequence: sequence, Chain: chainHash(chain), At: at}
	if c.text() != text { // one text for one checkpoint
		return Checkpoint{}, errCheckpoint
	}
	return c, nil
}

// openCheckpoint verifies a signed checkpoint with the log's public keys.
func openCheckpoint(signed []byte, keys note.Verifiers) (Checkpoint, error) {
	n, err := note.Open(signed, keys)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint's signature does not verify: %w", err)
	}
	return parseCheckpoint(n.Text)
}

// logName is the name of a log and of its signing key in checkpoints.
func logName(id logID) string { return "lethe-audit/" + hex.EncodeToString(id[:]) }

// newSigner gives the log's signing key the form that the note package takes.
func newSigner(id logID, key ed25519.PrivateKey) (_ note.Signer, public string, _ error) {
	public, err := note.NewEd25519VerifierKey(logName(id), key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, "", fmt.Errorf("cannot use the signing key: %w", err)
	}
	hash := strings.SplitN(public, "+", 3)[1]
	const algorithmEd25519 = 1
	seed := base64.StdEncoding.EncodeToString(append([]byte{algorithmEd25519}, key.Seed()...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + logName(id) + "+" + hash + "+" + seed)
	if err != nil {
		return nil, "", errors.New("cannot use the signing key") // the cause could quote the key
	}
	return signer, public, nil
}

// signTip signs the point that the chain has come to.
func signTip(signer note.Signer, id logID, t *tip, now time.Time) ([]byte, error) {
	c := Checkpoint{Log: logName(id), Sequence: t.sequence, Chain: t.chain, At: now}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer)
	if err != nil {
		return nil, fmt.Errorf("cannot sign a checkpoint: %w", err)
	}
	return signed, nil
}

// checkpoint signs the chain's end and writes the note into the chain. Signing takes some 25 microseconds under the
// log's lock, once in CheckpointEvery: what is signed is then exactly what the checkpoint's frame follows.
func (l *Log) checkpoint() error {
	now := l.o.Now()
	signed, err := signTip(l.signer, l.id, &l.tip, now)
	if err != nil {
		return err
	}
	l.begin(kindCheckpoint, 0, now.UnixMilli(), len(signed))
	l.stage = append(l.stage, signed...)
	if err := l.put(); err != nil {
		return err
	}
	l.unsigned, l.signedAt = false, now
	l.advance()
	return nil
}

// publish adds the public key to the file that verifiers read, unless it is there. Keys of former signers stay: their
// checkpoints are still in the log.
func publish(dir, public string) error {
	path := filepath.Join(dir, publicName)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot read the audit log's public keys: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSuffix(line, "\n") == public {
			return nil
		}
	}
	if err := replaceFile(path, append(text, public+"\n"...)); err != nil {
		return fmt.Errorf("cannot write the audit log's public keys: %w", err)
	}
	return nil
}

// parsePublicKeys reads the lines of audit.pub.
func parsePublicKeys(text string) (note.Verifiers, error) {
	var keys []note.Verifier
	for line := range strings.Lines(text) {
		key, err := note.NewVerifier(strings.TrimSuffix(line, "\n"))
		if err != nil || !strings.HasSuffix(line, "\n") {
			return nil, errors.New("the audit log's public keys cannot be read")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the audit log has no public key")
	}
	return note.VerifierList(keys...), nil
}
