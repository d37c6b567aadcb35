package consent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/secret"
)

// Gateway is a place where entries are: the embedded engine, an upstream, another Lethe. It gets every change that the
// Store has in force already.
type Gateway interface {
	// Name tells it from others in receipts: a machine word, no address of a patient.
	Name() string
	// Erase erases every entry of the subject of a revocation and tells of each before, one at a time; the key is valid during
	// the call. Where entries outlive this process, keep is called between telling of them and erasing them, so that the
	// receipt counts them whatever happens then. When it returns nil, none is left, and no command that began before the
	// change was in force can still write one. It may be called again for a change.
	Erase(ctx context.Context, c *Change, told func(category string, key []byte), keep func() error) error
}

// Others are the other gateways in front of the same entries.
type Others interface {
	// Await returns when each of them has a change in force and has ended what it was doing before, or cannot serve patients'
	// data any more before it has the change: that one's Confirmation says no time. With an error nobody knows.
	Await(ctx context.Context, number uint64) ([]Confirmation, error)
}

// Recorder is the audit log.
type Recorder interface {
	// Record records that a change was taken; nil means that the record has left the process's memory.
	Record(c *Change) error
	// Sequence is the number of the last record.
	Sequence() uint64
}

// ReceiptsDir is the name of the directory of receipts in the data directory.
const ReceiptsDir = "receipts"

// Options are what a Keeper joins.
type Options struct {
	Dir      Directory
	Store    *Store
	Clock    Clock
	Fence    time.Duration // 0: not known here
	Gateways []Gateway
	Others   Others // nil: there are none
	Recorder Recorder
	Grown    func() // called when changes that others may not have are in the journal; it must not block. nil: nobody asks
}

// Keeper takes changes, carries them out in every gateway, and issues the receipts. Its methods may be called concurrently,
// and several processes may keep one data directory: the server carries out what the command line has written.
type Keeper struct {
	o       Options
	keys    *Keys
	journal *Journal

	confirming sync.Mutex // one change after another is carried out

	mu      sync.Mutex
	waiting []*pending // in force here, and not yet confirmed
}

// pending is a change on its way to its receipt. What one try has erased is not there for the next to find.
type pending struct {
	change   Change
	number   uint64 // among the changes that were taken here
	recorded bool
	first    uint64   // the number of its first audit record
	erased   []*tally // by gateway
}

// OpenKeeper reads the journal and puts all of it in force. A journal that cannot be trusted is an error: the caller must
// not serve.
func OpenKeeper(o Options) (*Keeper, error) {
	keys, err := OpenKeys(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(o.Dir.File(ReceiptsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make the directory of receipts: %w", causeOf(err))
	}
	k := &Keeper{o: o, keys: keys}
	if err := k.removeParts(); err != nil {
		return nil, err
	}
	k.journal = NewJournal(o.Dir.File(JournalFile), o.Dir, k.applied)
	if err := k.journal.Read(); err != nil {
		return nil, err
	}
	return k, nil
}

// applied puts a change in force that the journal has or is about to have, and notes it when it was taken here and has no
// receipt.
func (k *Keeper) applied(c *Change) {
	k.o.Store.Apply(c)
	if c.Origin != "" {
		return
	}
	if _, err := os.Lstat(k.receiptPath(c.ID)); err == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting = append(k.waiting, &pending{change: *c, number: uint64(len(k.journal.places[""])) + 1})
}

// Public is the key that receipts are verified with.
func (k *Keeper) Public() []byte { return k.keys.Public() }

// Take puts an order in force, writes it down and carries it out; it returns the signed receipt. With an error after the
// order was put in force it stays in force and is tried again by Confirm: only the receipt is missing, whose ID is in the
// Change.
func (k *Keeper) Take(ctx context.Context, o Order) (Change, []byte, error) {
	c, err := k.Write(o)
	if err != nil {
		return c, nil, err
	}
	receipt, err := k.confirm(ctx, c.ID)
	return c, receipt, err
}

// Write puts an order in force in this process and writes it down for whoever serves the data directory.
func (k *Keeper) Write(o Order) (Change, error) {
	all, err := k.journal.Append(func() ([]Change, error) {
		// Read again under the journal's lock, so that a restoration is held against all that came before it.
		if o.Action == Restore && !k.o.Store.Live(o.Tenant, bytesOf(o.Subject)) {
			return nil, ErrNotRevoked
		}
		c, err := o.take(time.UnixMilli(k.o.Clock.Wall()).UTC())
		return []Change{c}, err
	})
	if len(all) == 0 {
		return Change{}, err
	}
	failpoint.Here(failpoint.ConsentWritten)
	if err == nil {
		k.grown()
	}
	return all[0], err
}

func (k *Keeper) grown() {
	if k.o.Grown != nil {
		k.o.Grown()
	}
}

// Read puts in force what other processes have written. It is called several times a second and costs one system call
// when there is nothing.
func (k *Keeper) Read() error {
	if !k.journal.Grown() {
		return nil
	}
	defer k.grown()
	return k.journal.Read()
}

// Confirm carries out what is in force and has no receipt yet. What could not be done is tried again by the next call.
func (k *Keeper) Confirm(ctx context.Context) error {
	k.mu.Lock()
	var ids []string
	for _, p := range k.waiting {
		ids = append(ids, p.change.ID)
	}
	k.mu.Unlock()
	var failed error
	for _, id := range ids {
		if _, err := k.confirm(ctx, id); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// confirm carries a change out and issues its receipt. Erasure does not wait for the audit: a record that cannot be
// written keeps the receipt back, not the patient's right.
func (k *Keeper) confirm(ctx context.Context, id string) ([]byte, error) {
	k.confirming.Lock()
	defer k.confirming.Unlock()
	p := k.find(id)
	if p == nil {
		return ReadReceipt(k.o.Dir, id) // another goroutine was faster
	}
	recorded := k.record(p)
	failpoint.Here(failpoint.ConsentRecorded)
	r := k.receipt(&p.change)
	// Others first: what they had under way when the change came may still store an entry, which erasing must meet.
	var others []Confirmation
	if k.o.Others != nil {
		var err error
		if others, err = k.o.Others.Await(ctx, p.number); err != nil {
			return nil, fmt.Errorf("cannot confirm the change of consent in the other gateways: %w", err)
		}
	}
	failpoint.Here(failpoint.ConsentAwaited)
	for i, g := range k.o.Gateways {
		if len(p.erased) == i {
			t, err := openTally(k.keys, p.change.Tenant, k.partPath(id, i), p.first)
			if err != nil {
				return nil, err
			}
			p.erased, p.first = append(p.erased, t), t.first
		}
		if p.change.Action == Revoke {
			if err := g.Erase(ctx, &p.change, p.erased[i].add, p.erased[i].keep); err != nil {
				return nil, fmt.Errorf("cannot confirm the change of consent in the gateway %s: %w", g.Name(), err)
			}
		}
		r.Gateways = append(r.Gateways, Confirmation{ConfirmedAt: Instant(k.o.Clock.Wall()), Erased: p.erased[i].sorted(), Name: g.Name()})
	}
	failpoint.Here(failpoint.ConsentErased)
	r.Gateways = append(r.Gateways, others...)
	if recorded != nil {
		return nil, fmt.Errorf("cannot issue a receipt for the change of consent: %w", recorded)
	}
	r.Audit = AuditRange{First: p.first, Last: k.o.Recorder.Sequence()}
	r.IssuedAt = Instant(k.o.Clock.Wall())
	file, err := r.Sign(k.keys.signer)
	if err != nil {
		return nil, err
	}
	if err := secret.WriteFile(k.receiptPath(id), file); err != nil {
		return nil, err
	}
	failpoint.Here(failpoint.ReceiptWritten)
	k.confirmed(p)
	for _, t := range p.erased {
		if err := t.forget(); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// record has the audit log say that the change was taken, once.
func (k *Keeper) record(p *pending) error {
	if p.recorded {
		return nil
	}
	if p.first == 0 {
		p.first = k.o.Recorder.Sequence() + 1
	}
	err := k.o.Recorder.Record(&p.change)
	p.recorded = err == nil
	return err
}

func (k *Keeper) find(id string) *pending {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.waiting {
		if p.change.ID == id {
			return p
		}
	}
	return nil
}

func (k *Keeper) confirmed(done *pending) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting = slices.DeleteFunc(k.waiting, func(p *pending) bool { return p == done })
}

func (k *Keeper) receipt(c *Change) *Receipt {
	r := &Receipt{
		Action: c.Action, By: c.By, Gateways: []Confirmation{}, ID: c.ID, Method: c.Method, Reason: c.Reason,
		Since: Instant(c.Since), Subject: k.keys.Subject(c.Tenant, c.Subject), Tenant: c.Tenant, Version: ReceiptVersion,
	}
	if c.Until != 0 {
		r.Until = Instant(c.Until)
	}
	switch {
	case k.o.Fence == 0: // this process does not serve and has no policy
	case c.Action == Restore:
		r.WritesEnd = Instant(c.Since + k.o.Store.Fence().Milliseconds())
	case c.Until != 0:
		r.WritesEnd = Instant(c.Until + k.o.Store.Fence().Milliseconds())
	}
	return r
}

// Instant is a time in Unix milliseconds as receipts have it.
func Instant(wall int64) string {
	return time.UnixMilli(wall).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (k *Keeper) receiptPath(id string) string {
	return filepath.Join(k.o.Dir.File(ReceiptsDir), id+".json")
}

// partPath is where it is kept what a gateway has erased for a change without a receipt.
func (k *Keeper) partPath(id string, gateway int) string {
	return filepath.Join(k.o.Dir.File(ReceiptsDir), id+"-"+strconv.Itoa(gateway)+partSuffix)
}

const partSuffix = ".part"

// removeParts removes what was kept for receipts that there are: the process died between the two.
func (k *Keeper) removeParts() error {
	parts, err := filepath.Glob(k.o.Dir.File(ReceiptsDir) + "/*" + partSuffix)
	if err != nil {
		return fmt.Errorf("cannot look for what was kept for receipts: %w", err)
	}
	for _, path := range parts {
		id, _, _ := strings.Cut(filepath.Base(path), "-")
		if _, err := os.Lstat(k.receiptPath(id)); err != nil {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("cannot remove what was kept for a receipt: %w", causeOf(err))
		}
	}
	return nil
}

// ReadReceipt returns the file of a receipt in a data directory; fs.ErrNotExist when there is none yet.
func ReadReceipt(dir Directory, id string) ([]byte, error) {
	if !IsID(id) {
		return nil, fs.ErrNotExist
	}
	return secret.ReadFile(filepath.Join(dir.File(ReceiptsDir), id+".json"))
}
