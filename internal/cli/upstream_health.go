package cli

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// outlook is what the server knows of its upstream beside what commands meet there: readiness and metrics are asked of it.
type outlook struct {
	checker *upstream.Checker
	log     *slog.Logger
	last    atomic.Pointer[upstream.Health]
	told    string // the complaint of the last look, so that the same one is told once
}

const lookEvery = time.Second

func newOutlook(u *upstream.Upstream, log *slog.Logger) *outlook {
	o := &outlook{checker: upstream.NewChecker(u), log: log}
	o.last.Store(&upstream.Health{})
	return o
}

// Health is what the last look has found. It may be called by any goroutine.
func (o *outlook) Health() upstream.Health { return *o.last.Load() }

// run looks until ctx ends.
func (o *outlook) run(ctx context.Context) {
	defer o.checker.Close()
	every(ctx, lookEvery, o.once)
}

// once looks, and tells of what has changed.
func (o *outlook) once() {
	h := o.checker.Check()
	o.last.Store(&h)
	complaint := ""
	if h.Problem != nil {
		complaint = h.Problem.Error()
	}
	switch {
	case complaint == o.told:
	case complaint == "":
		o.log.Info("the upstream serves again")
	case h.Serves:
		o.log.Error("the upstream takes no writes", "error", h.Problem, "mend", upstream.Mend(h.Problem))
	default:
		o.log.Error("the upstream cannot be used; commands are refused until it can", "error", h.Problem, "mend", upstream.Mend(h.Problem))
	}
	o.told = complaint
}

// notReady says why commands in front of the upstream would be refused now. An upstream that takes no writes for the moment
// serves reads, so taking the gateway out of service would make it worse; metrics and the log have that.
func (f *front) notReady() string {
	switch {
	case f == nil:
		return ""
	case !f.look.Health().Serves:
		return "the upstream cannot be used"
	case !f.ring.Names():
		return "the secrets of categories that survive a restart cannot be had"
	case f.peers.Apart():
		return "another gateway's clock is more than 10 s from this one's"
	case !f.serves():
		return "this gateway is not in touch with the others through the upstream"
	}
	return ""
}
