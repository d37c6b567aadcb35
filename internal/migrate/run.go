package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Options say what is copied, and how. Nothing of them is changed.
type Options struct {
	Source *upstream.Upstream
	// Target is the Lethe. nil, for a dry run: the policy alone says what would become of keys; otherwise the Lethe is asked
	// of each key whether the user reaches it.
	Target *upstream.Upstream
	Policy *policy.Policy
	Apply  bool // false: a dry run, which writes nothing anywhere
	Keep   bool // entries that the Lethe has stay as they are; otherwise the source's take their place
	Home   bool // keys whose names say no tenant are copied too, as the user's own
	Rate   int  // keys a second, at most; 0: no limit

	StateFile string // "": none is kept. A dry run keeps none.
	Job       string // a digest of what makes this job different from others
	Progress  func(Progress)
}

var (
	errSource = errors.New("the source does not answer")
	errTarget = errors.New("the target does not answer")
	// ErrNotLethe says that the target is something else. PHI is not copied to where nothing makes it end.
	ErrNotLethe = errors.New("the target is not a Lethe")
)

const (
	pageKeys   = 500
	saveEvery  = time.Second
	pageTries  = 6
	firstPause = 250 * time.Millisecond
)

// migration is one run.
type migration struct {
	Options
	source, target *upstream.Client
	state          *state
	pace           pace
	began          time.Time
	before         float64 // seconds of earlier runs
	savedAt        time.Time
	progress       Progress
	page           Report // of the page that is worked on
	// fieldTimes is whether the source's hashes may have fields with deadlines: until it says that it knows no HPTTL.
	fieldTimes bool
}

// Run goes over the source once. What it returns beside an error is what became of keys until then.
func Run(ctx context.Context, o Options) (*Report, error) {
	m := &migration{Options: o, source: o.Source.NewClient(), began: time.Now(), fieldTimes: true}
	defer m.source.Close()
	if o.Target != nil {
		m.target = o.Target.NewClient()
		defer m.target.Close()
		if err := m.checkTarget(); err != nil {
			return newReport(o.Apply), err
		}
	}
	if err := m.prepare(ctx); err != nil {
		return newReport(o.Apply), err
	}
	err := m.nodes(ctx)
	m.state.Report.Seconds = m.before + time.Since(m.began).Seconds()
	if err != nil {
		return m.state.Report, errors.Join(err, m.save())
	}
	if m.StateFile != "" && m.Apply {
		if err := os.Remove(m.StateFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return m.state.Report, fmt.Errorf("cannot remove the state file: %w", err)
		}
	}
	return m.state.Report, nil
}

// checkTarget makes sure that the target is a Lethe.
func (m *migration) checkTarget() error {
	m.target.Reset()
	i := m.target.Read(nil, []byte("INFO"), []byte("server"))
	m.target.Run()
	v, err := m.target.Reply(i)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errTarget, err)
	case v.IsError():
		return fmt.Errorf("cannot ask the target what it is: it answers %s", code(v.Str))
	case !bytes.Contains(v.Str, []byte("\nlethe_version:")):
		return ErrNotLethe
	}
	return nil
}

// prepare learns what there is to do, and what of it is done.
func (m *migration) prepare(ctx context.Context) error {
	addresses, err := m.Source.Primaries(ctx)
	if err != nil {
		return err
	}
	var all []*node
	for _, a := range addresses {
		n, keys, err := m.look(a)
		if err != nil {
			return err
		}
		all = append(all, n)
		m.progress.Total += keys
	}
	if m.Apply && m.StateFile != "" {
		if m.state, err = readState(m.StateFile, m.Job); err != nil {
			return err
		}
	}
	if m.state == nil {
		m.state = &state{Version: stateVersion, Job: m.Job, Report: newReport(m.Apply)}
	}
	m.state.adopt(all)
	m.before = m.state.Report.Seconds
	m.progress.Keys, m.progress.Bytes = m.state.Report.Keys, m.state.Report.Bytes
	m.progress.Began = m.progress.Keys
	m.pace = newPace(m.Rate)
	return nil
}

// look asks a node which process it is and how many keys it has.
func (m *migration) look(address string) (*node, uint64, error) {
	m.source.Reset()
	info := m.source.ReadNode(address, "INFO", "server")
	size := m.source.ReadNode(address, "DBSIZE")
	m.source.Run()
	keys, err := m.source.Reply(size)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errSource, err)
	}
	n := &node{Address: address}
	if v, err := m.source.Reply(info); err == nil && !v.IsError() {
		if _, id, ok := bytes.Cut(v.Str, []byte("\nrun_id:")); ok {
			id, _, _ = bytes.Cut(id, []byte("\r"))
			n.RunID = string(id)
		}
	}
	return n, uint64(max(keys.Int, 0)), nil
}

// nodes goes over all nodes, page by page.
func (m *migration) nodes(ctx context.Context) error {
	for _, n := range m.state.Nodes {
		for !n.Done {
			next, err := m.pageAgain(ctx, n)
			if err != nil {
				return err
			}
			n.Cursor, n.Done = next, next == 0
			m.state.Report.add(&m.page)
			if err := m.told(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// told ends a page: it tells how far the run is, saves that, and keeps to the rate.
func (m *migration) told(ctx context.Context) error {
	m.progress.Keys, m.progress.Bytes = m.state.Report.Keys, m.state.Report.Bytes
	m.progress.Elapsed = time.Since(m.began)
	if m.Progress != nil {
		m.Progress(m.progress)
	}
	if time.Since(m.savedAt) >= saveEvery {
		failpoint.Here(failpoint.MoveCounted)
		if err := m.save(); err != nil {
			return err
		}
		failpoint.Here(failpoint.MoveSaved)
		m.savedAt = time.Now()
	}
	return m.pace.wait(ctx, m.page.Keys)
}

func (m *migration) save() error {
	if m.StateFile == "" || !m.Apply {
		return nil
	}
	return m.state.write(m.StateFile)
}

// pageAgain does one page, and tries it again for a while where a server does not answer. That is safe: a page that was done
// by half is done as a whole again, and every entry is written as a whole.
func (m *migration) pageAgain(ctx context.Context, n *node) (next uint64, err error) {
	pause := firstPause
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		m.page = *newReport(m.Apply)
		next, err = m.onePage(ctx, n)
		if err == nil || try == pageTries || !errors.Is(err, errSource) && !errors.Is(err, errTarget) {
			return next, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// onePage asks for some keys, looks at them, and copies those that may be copied.
func (m *migration) onePage(ctx context.Context, n *node) (next uint64, err error) {
	m.source.Reset()
	i := m.source.ReadNode(n.Address, "SCAN", strconv.FormatUint(n.Cursor, 10), "COUNT", strconv.Itoa(m.pace.page()))
	m.source.Run()
	v, err := m.source.Reply(i)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errSource, err)
	case v.IsError():
		return 0, fmt.Errorf("cannot go over the source's keys: it answers %s", code(v.Str))
	case len(v.Elems) != 2:
		return 0, errors.New("cannot go over the source's keys: its answer makes no sense")
	}
	if next, err = strconv.ParseUint(string(v.Elems[0].Str), 10, 64); err != nil {
		return 0, errors.New("cannot go over the source's keys: its cursor is no number")
	}
	items := make([]*item, len(v.Elems[1].Elems))
	for i, name := range v.Elems[1].Elems {
		items[i] = &item{name: bytes.Clone(name.Str)}
	}
	defer func() {
		for _, x := range items {
			clear(x.name)
		}
	}()
	if err := m.inspect(items); err != nil {
		return 0, err
	}
	if err := m.copyAll(ctx, items); err != nil {
		return 0, err
	}
	for _, x := range items {
		m.page.count(x)
	}
	return next, nil
}

// code is the first word of an error, which says what it is about and nothing else: the text behind it may hold anything.
func code(text []byte) string {
	word, _, _ := bytes.Cut(text, []byte(" "))
	for _, c := range word {
		if (c < 'A' || c > 'Z') && c != '_' || len(word) > 16 {
			return "ERR"
		}
	}
	return string(word)
}
