package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Problem is a part of a scan that could not be done. The rest was.
type Problem struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Call    string `json:"call"`
	Code    string `json:"code"`
}

func (p Problem) String() string {
	account := "account " + p.Account
	if p.Account == "" {
		account = "the account of the environment"
	}
	return fmt.Sprintf("%s, region %s: %s ended with %s", account, p.Region, p.Call, p.Code)
}

// Result is how a scan went.
type Result struct {
	Items    int       `json:"items"`
	Problems []Problem `json:"problems"` // what is not in the items; a scan with problems is incomplete
	Resumed  int       `json:"resumed"`  // items that came from the journal of a killed scan
}

// Scan reads all targets and gives each item to emit, one after another, in no order. It keeps none, so that the memory of a
// scan does not grow with the number of caches. An error of emit, of the journal, or the end of ctx ends the scan; what AWS
// refuses becomes problems. The journal may be nil.
func (c *Connector) Scan(ctx context.Context, targets []Target, j *Journal, emit func(*Item) error) (Result, error) {
	for i := range targets {
		if err := targets[i].Check(); err != nil {
			return Result{}, err
		}
	}
	return c.scan(ctx, targets, &scanner{c: c, journal: j, emit: emit, units: units(), replayed: map[model.ID]bool{}})
}

// ScanCaches is Scan for groups, clusters, serverless caches and MemoryDB only, without a journal.
func (c *Connector) ScanCaches(ctx context.Context, targets []Target, emit func(*Item) error) (Result, error) {
	for i := range targets {
		if err := targets[i].Check(); err != nil {
			return Result{}, err
		}
	}
	return c.scan(ctx, targets, &scanner{c: c, emit: emit, units: cacheUnits(), replayed: map[model.ID]bool{}})
}

func (c *Connector) scan(ctx context.Context, targets []Target, sc *scanner) (Result, error) {
	j := sc.journal
	if j != nil {
		if err := j.replay(sc.replay); err != nil {
			return sc.result, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallelRegions)
	for _, t := range targets {
		for _, region := range t.Regions {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				if err := sc.region(ctx, t, region); err != nil {
					cancel(err)
				}
			})
		}
	}
	wait.Wait()
	err := context.Cause(ctx)
	if err == nil && j != nil && len(sc.result.Problems) == 0 {
		err = j.finish()
	}
	return sc.result, err
}

// parallelRegions is how many regions are read at once. Each has limits of its own; this bounds memory and sockets.
const parallelRegions = 8

// scanner is one scan under way.
type scanner struct {
	c       *Connector
	journal *Journal
	emit    func(*Item) error
	units   []unit

	mu       sync.Mutex
	result   Result
	replayed map[model.ID]bool // what the journal gave; a list that had to be read again gives it once more
}

func (sc *scanner) replay(it *Item) error {
	if sc.replayed[it.Resource.ID] {
		return nil
	}
	sc.replayed[it.Resource.ID] = true
	sc.result.Items++
	sc.result.Resumed++
	return sc.emit(it)
}

func (sc *scanner) region(ctx context.Context, t Target, region string) error {
	account := t.Account
	todo := sc.units
	if sc.journal != nil && account != "" {
		todo = sc.journal.missing(account, region, todo)
	}
	if len(todo) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	s, err := sc.c.Session(ctx, t, region)
	if err != nil {
		return sc.problem(ctx, Problem{account, region, "GetCallerIdentity", sessionCode(err)})
	}
	a := &around{s: s}
	for _, u := range todo {
		err := sc.unit(ctx, a, u)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var own *ownError
		if errors.As(err, &own) {
			return own.error
		}
		if err == nil {
			continue
		}
		if err := sc.problem(ctx, Problem{s.Account, region, u.call, Code(err)}); err != nil {
			return err
		}
	}
	return nil
}

// sessionCode tells a role that leads elsewhere from a role that cannot be taken.
func sessionCode(err error) string {
	if code := Code(err); code != "unreachable" {
		return code
	}
	return "not-entered: " + err.Error()
}

// ownError is an error that is not AWS's and ends the scan.
type ownError struct{ error }

func (sc *scanner) unit(ctx context.Context, a *around, u unit) error {
	var from *string
	if sc.journal != nil {
		from = sc.journal.marker(a.s.Account, a.s.Region, u.name)
	}
	err := u.run(ctx, a, from, sc.page(a, u))
	if from != nil && Code(err) == "InvalidParameterValue" {
		err = u.run(ctx, a, nil, sc.page(a, u)) // AWS has forgotten the marker of the killed scan
	}
	return err
}

// page takes a page of a unit.
func (sc *scanner) page(a *around, u unit) func([]*Item, *string) error {
	return func(items []*Item, next *string) error {
		sc.mu.Lock()
		defer sc.mu.Unlock()
		if sc.journal != nil {
			if err := sc.journal.page(a.s.Account, a.s.Region, u.name, items, next); err != nil {
				return &ownError{err}
			}
		}
		for _, it := range items {
			if sc.replayed[it.Resource.ID] {
				continue
			}
			sc.result.Items++
			if err := sc.emit(it); err != nil {
				return &ownError{err}
			}
		}
		return nil
	}
}

func (sc *scanner) problem(ctx context.Context, p Problem) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.result.Problems = append(sc.result.Problems, p)
	return nil
}
