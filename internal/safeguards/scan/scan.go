package scan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

// Options say what is scanned and by which rules.
type Options struct {
	Paths    []string      // files and directories
	Servers  []live.Target // running servers
	Sources  []Source      // more places, such as AWS accounts
	Rules    []rules.Rule
	Settings map[string]rules.Setting
	Now      time.Time
	// Progress is called between steps, from one goroutine; it may be nil.
	Progress func(step string, resources int)
}

// Source is a place with resources that is neither a path nor a server.
type Source interface {
	// Resources calls found for each resource. An error means that some may be missing; what was found counts.
	Resources(ctx context.Context, found func(*model.Resource)) error
	// Name is how notes call the source.
	Name() string
}

// Note is something about the scan itself.
type Note struct {
	Source model.Source `json:"source,omitzero"`
	Text   string       `json:"text"` // a clause without a full stop
	// Incomplete says that resources may have been missed.
	Incomplete bool `json:"incomplete"`
}

// Result is what a scan found.
type Result struct {
	Resources []*model.Resource
	Findings  []model.Finding
	Notes     []Note
}

// Complete says whether everything that was named could be read.
func (r *Result) Complete() bool {
	return !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Incomplete })
}

// Run scans. The findings are in the order of resources and rules, the same for the same input.
func Run(ctx context.Context, o Options) *Result {
	s := &scanner{o: o, result: &Result{}}
	for _, p := range o.Paths {
		s.step("reading " + p)
		s.path(p)
	}
	s.manifests()
	for _, t := range o.Servers {
		s.step("asking " + t.Address)
		s.server(ctx, t)
	}
	for _, source := range o.Sources {
		s.step("asking " + source.Name())
		if err := source.Resources(ctx, s.found); err != nil {
			s.note(model.Source{}, source.Name()+": "+err.Error(), true)
		}
	}
	compare(s.result.Resources)
	s.judge()
	return s.result
}

type scanner struct {
	o      Options
	result *Result
	files  int
	docs   []manifest
}

func (s *scanner) step(what string) {
	if s.o.Progress != nil {
		s.o.Progress(what, len(s.result.Resources))
	}
}

func (s *scanner) note(at model.Source, text string, incomplete bool) {
	s.result.Notes = append(s.result.Notes, Note{at, text, incomplete})
}

func (s *scanner) found(r *model.Resource) { s.result.Resources = append(s.result.Resources, r) }

func (s *scanner) server(ctx context.Context, t live.Target) {
	r, err := live.Read(ctx, t)
	s.found(r)
	if err != nil {
		s.note(model.Source{}, t.Address+": "+err.Error(), true)
	}
}

func (s *scanner) judge() {
	slices.SortStableFunc(s.result.Resources, func(a, b *model.Resource) int {
		return cmp.Or(cmp.Compare(a.ID.Target, b.ID.Target), cmp.Compare(a.ID.Account, b.ID.Account), cmp.Compare(a.ID.Region, b.ID.Region),
			cmp.Compare(a.ID.Name, b.ID.Name), cmp.Compare(a.ID.Kind, b.ID.Kind))
	})
	for _, r := range s.result.Resources {
		s.result.Findings = append(s.result.Findings, rules.Evaluate(s.o.Rules, s.o.Settings, r, s.o.Now)...)
	}
}
