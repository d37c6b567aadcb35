package watch

import (
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// view is what one look at a cache found, as far as enforcement is concerned.
type view struct {
	standing remedy.Standing
	failing  []string // enforced rules that fail
	unknown  bool     // an enforced rule cannot be decided, or the configuration is not known whole
	busy     bool     // AWS is changing it
	made     time.Time
}

func look(it *awsapi.Item, s *Settings, judge remedy.Judge, x *remedy.Exclusions, now time.Time) view {
	v := view{standing: x.Mark(it.Resource, now), unknown: it.Detail.Config == nil}
	v.made, _ = model.CreatedAt.Of(it.Resource).Get()
	status, _ := model.Status.Of(it.Resource).Get()
	v.busy = status != "available"
	for _, f := range judge(it.Resource) {
		if !slices.Contains(s.Rules, f.Rule) {
			continue
		}
		switch f.Result {
		case model.Fail:
			v.failing = append(v.failing, f.Rule)
		case model.Undecided:
			v.unknown = true
		}
	}
	return v
}

// verdict is what becomes of a case. Exactly one of the three is meant: do has an action, drop is that the cache complies, or
// neither, which is to wait.
type verdict struct {
	c    Case
	do   remedy.Action
	drop bool
	why  string // a refusal for the record: something was due and must not be done
}

// judgeCase is the heart of watch, and pure: from the case so far and a look at the cache to what happens now.
func judgeCase(c Case, exists bool, id model.ID, cacheID string, v view, s *Settings, now time.Time) verdict {
	if exists && !c.MadeAt.Equal(v.made) && !v.made.IsZero() {
		exists = false // the name was given to a new cache, whose owner has not been told yet
	}
	// Compliance forgives; that it is unknown whether a cache complies does not, and neither does an exclusion: whoever
	// takes it away again shall not have gained a second time of grace.
	if len(v.failing) == 0 && !v.unknown && v.standing == remedy.Open {
		return verdict{drop: true}
	}
	if !exists {
		if len(v.failing) == 0 || v.standing != remedy.Open {
			return verdict{drop: true}
		}
		c = Case{Resource: id, CacheID: cacheID, MadeAt: v.made, FirstSeenAt: now}
	}
	if len(v.failing) > 0 {
		c.Rules = v.failing
	}
	a := due(&c, v.made, s, now)
	out := verdict{c: c, do: a}
	if a == "" {
		return out
	}
	switch {
	case v.standing == remedy.Excluded:
		out.why = "excluded"
	case v.standing != remedy.Open:
		out.why = "exclusion-unknown"
	case v.unknown:
		out.why = "unknown"
	case len(v.failing) == 0:
		out.why = "not-failing"
	case v.busy:
		out.why = "not-available"
	}
	if out.why != "" {
		out.do = ""
	}
	return out
}

// due is the action whose time has come, empty for none.
func due(c *Case, made time.Time, s *Settings, now time.Time) remedy.Action {
	if s.NewWithin > 0 && c.QuarantinedAt.IsZero() && !made.IsZero() && !now.Before(made) && now.Sub(made) < s.NewWithin {
		return remedy.DeleteNew
	}
	if c.QuarantinedAt.IsZero() {
		if now.Sub(c.FirstSeenAt) >= s.Grace {
			return remedy.Quarantine
		}
		return ""
	}
	if s.Delete && now.Sub(c.QuarantinedAt) >= s.Hold {
		return remedy.SnapshotDelete
	}
	return ""
}
