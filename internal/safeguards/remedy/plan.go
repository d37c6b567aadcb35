package remedy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Plan is what shall be done, for a person to read and for Apply to do. An entry may be taken out of its file; any other
// change makes Apply refuse the entry.
type Plan struct {
	Version  int       `json:"version"`
	MadeAt   time.Time `json:"made_at"`
	Settings Settings  `json:"settings"`
	// Exclusions is the SHA-256 of the file of exclusions that it was made with; empty for none. Others may count by the time
	// that it is applied: they are asked again.
	Exclusions string    `json:"exclusions_sha256,omitempty"`
	Entries    []Entry   `json:"entries"`
	Skipped    []Skipped `json:"skipped"`
}

// Entry is one action on one cache.
type Entry struct {
	ID       string        `json:"id"` // of resource, action and configuration: the same decision has the same ID
	Resource model.ID      `json:"resource"`
	CacheID  string        `json:"cache_id"`
	Rules    []string      `json:"rules"` // those that fail and that the action remedies
	Action   Action        `json:"action"`
	Effects  []string      `json:"effects"` // what it does, for people
	Undo     string        `json:"undo"`
	Sum      string        `json:"config_sha256"` // of the configuration that it was decided on
	Config   awsapi.Config `json:"config"`        // its parts, so that a refusal can say what changed
}

// Skipped is a finding that the plan does nothing about.
type Skipped struct {
	Resource model.ID `json:"resource"`
	Rule     string   `json:"rule,omitempty"`
	Why      string   `json:"why"`
}

const planVersion = 1

// Judge says what rules find of a resource.
type Judge func(*model.Resource) []model.Finding

// Planner makes a plan, cache by cache.
type Planner struct {
	Judge      Judge
	Exclusions Exclusions
	Settings   Settings // completed
	Now        func() time.Time
	plan       Plan
}

// Add looks at one cache. Resources that are no caches are left to people.
func (p *Planner) Add(it *awsapi.Item) {
	if !isCache(it.Resource.ID.Kind) {
		return
	}
	e, skipped := Decide(it, p.Judge, &p.Exclusions, &p.Settings, p.Now())
	p.plan.Skipped = append(p.plan.Skipped, skipped...)
	if e != nil {
		p.plan.Entries = append(p.plan.Entries, *e)
	}
}

// Plan is what came of it, in the order of accounts, regions and names.
func (p *Planner) Plan() *Plan {
	out := p.plan
	out.Version, out.MadeAt, out.Settings = planVersion, p.Now().UTC(), p.Settings
	out.Exclusions = p.Exclusions.Sum()
	slices.SortFunc(out.Entries, func(a, b Entry) int { return bytes.Compare([]byte(a.Resource.Name), []byte(b.Resource.Name)) })
	slices.SortFunc(out.Skipped, func(a, b Skipped) int {
		return bytes.Compare([]byte(a.Resource.Name+a.Rule), []byte(b.Resource.Name+b.Rule))
	})
	return &out
}

func isCache(k model.Kind) bool {
	return slices.Contains([]model.Kind{model.ReplicationGroup, model.CacheCluster, model.ServerlessCache, model.MemoryDB}, k)
}

// Decide says what shall be done about one cache, nil for nothing, and what is left out and why. It is pure, and Apply asks
// it again.
func Decide(it *awsapi.Item, judge Judge, x *Exclusions, s *Settings, now time.Time) (*Entry, []Skipped) {
	r := it.Resource
	var skipped []Skipped
	skip := func(rule, why string) { skipped = append(skipped, Skipped{r.ID, rule, why}) }
	switch x.Mark(r, now) {
	case Excluded:
		skip("", "an exclusion is in force")
		return nil, skipped
	case Unclear:
		skip("", "it cannot be told whether it is excluded")
		return nil, skipped
	}
	if it.Detail.Config == nil {
		skip("", "its configuration could not be read whole")
		return nil, skipped
	}
	byAction := map[Action][]string{}
	for _, f := range judge(r) {
		a, ok := s.actionFor(f.Rule)
		switch {
		case f.Result == model.Undecided:
			skip(f.Rule, "it is unknown whether it fails")
		case f.Result != model.Fail:
		case !ok:
			skip(f.Rule, "it is for people: "+f.Mend)
		default:
			if why := cannot(a, it, s, now); why != "" {
				skip(f.Rule, why)
				continue
			}
			if a == Modify && changesFor(f.Rule, it, s) == nil {
				skip(f.Rule, "it cannot be changed in place, or not yet")
				continue
			}
			byAction[a] = append(byAction[a], f.Rule)
		}
	}
	return strongest(it, s, byAction, skip), skipped
}

// strongest makes the entry of the strongest action. The others wait: after an action the cache is another one, and what is
// done next has to be decided on what it then is.
func strongest(it *awsapi.Item, s *Settings, byAction map[Action][]string, skip func(rule, why string)) *Entry {
	var chosen Action
	for a := range byAction {
		if chosen == "" || strength(a) > strength(chosen) {
			chosen = a
		}
	}
	if chosen == "" {
		return nil
	}
	for a, rules := range byAction {
		for _, rule := range rules {
			if a != chosen {
				skip(rule, "one action at a time: make a plan again after "+string(chosen))
			}
		}
	}
	rules := byAction[chosen]
	slices.Sort(rules)
	e := &Entry{
		Resource: it.Resource.ID, CacheID: it.Detail.ID, Rules: rules, Action: chosen, Sum: it.Detail.Config.Sum(), Config: it.Detail.Config,
	}
	e.Effects, e.Undo = describe(chosen, rules, it, s)
	e.ID = entryID(e)
	return e
}

func entryID(e *Entry) string {
	src, err := json.Marshal([]any{e.Resource, e.CacheID, e.Rules, e.Action, e.Sum, e.Effects, e.Undo})
	if err != nil {
		panic("BUG: an entry has no JSON form: " + err.Error())
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:8])
}

// Write writes the plan's file.
func (p *Plan) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("cannot write the plan: %w", err)
	}
	return nil
}

// ReadPlan reads a plan's file and refuses what is not whole: an unknown field, an action that does not belong to its rule,
// an entry that does not have the ID of what it says.
func ReadPlan(src []byte) (*Plan, error) {
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	var p Plan
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("cannot read the plan: %w", err)
	}
	if p.Version != planVersion {
		return nil, fmt.Errorf("cannot read the plan: its version is %d, not %d", p.Version, planVersion)
	}
	if err := p.Settings.Complete(); err != nil {
		return nil, fmt.Errorf("cannot read the plan: %w", err)
	}
	seen := map[string]bool{}
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.ID != entryID(e) || e.Sum != e.Config.Sum() || e.Sum == "" || !isCache(e.Resource.Kind) || e.Resource.Target != model.AWS {
			return nil, fmt.Errorf("cannot use entry %d of the plan: it was changed by hand; make the plan again", i+1)
		}
		if len(e.Rules) == 0 || slices.ContainsFunc(e.Rules, func(r string) bool { return !slices.Contains(Allowed(r), e.Action) }) {
			return nil, fmt.Errorf("cannot use entry %d of the plan: its action is not one of its rules", i+1)
		}
		if seen[e.Resource.Name] {
			return nil, errors.New("cannot use the plan: it has two entries for one cache")
		}
		seen[e.Resource.Name] = true
	}
	return &p, nil
}
