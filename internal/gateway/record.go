package gateway

import (
	"strconv"
	"unsafe"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// record adds what the command did to the round's batch: a record for each key, or one for a command without keys.
// 45 CFR 164.312(b): whatever touched PHI, or was kept from it, is examined later from these.
func (w *Worker) record() {
	c := &w.call
	if c.Spec == nil || c.Spec.Action == command.ActionNone {
		return
	}
	if w.session.user == nil && w.refused != "" {
		// Nobody's attempts touch nothing and must not be able to fill the log; they are counted.
		w.g.Stats.unauthenticated.Add(1)
		return
	}
	if runsScript(c.Spec) && w.refused == "" && !w.scriptIntended() {
		return // the commands of a script have the records
	}
	r := &w.scratch
	*r = audit.Record{At: c.WallNow, Actor: w.session.actor, Command: c.Spec.RecordName(), Action: actions[c.Spec.Action]}
	switch {
	case c.Spec.Channels != 0 && w.session.user != nil && (len(c.Args) > 1 || w.refused == ""):
		w.recordChannels(r)
		return
	case len(w.placed) == 0:
		w.recordKeyless(r)
		return
	}
	for i := range w.placed {
		w.recordKey(r, i)
	}
}

func (w *Worker) recordKeyless(r *audit.Record) {
	r.Outcome = w.keylessOutcome()
	if r.Action == audit.Authenticate && r.Outcome == audit.Denied && !w.g.strangers.admit(w.call.Now) {
		return
	}
	if t := w.session.home; t != nil {
		r.Tenant = t.Name
	}
	r.Detail = w.refused
	if w.refused == "" {
		r.Detail = w.session.detail
		w.session.detail = ""
		if r.Detail == "" && w.call.Count > 0 {
			r.Detail = "entries=" + strconv.Itoa(w.call.Count)
		}
	}
	w.add(r)
}

func (w *Worker) keylessOutcome() audit.Outcome {
	switch {
	case w.refused != "":
		return refusals[w.refused]
	case w.call.Failed && w.call.Spec.Action == command.ActionAuthenticate:
		return audit.Denied
	case w.call.Failed:
		return audit.Failed
	default:
		return audit.OK
	}
}

func (w *Worker) recordKey(r *audit.Record, i int) {
	p := &w.placed[i]
	outcome := w.keyOutcome(i)
	if p.tenant != nil && (w.refused != "" || !runsScript(w.call.Spec)) { // whose commands have counted
		w.tally.count(p.tenant.ID, p.category.ID, outcome)
	}
	if !recorded(p.category, outcome, w.call.Spec) {
		return
	}
	r.Outcome = outcome
	r.Key = w.call.Args[w.call.Refs[i].Arg]
	r.Subject = p.subject
	r.Category = p.category.Name
	r.Detail = w.refused
	r.Tenant = ""
	if p.tenant != nil {
		r.Tenant = p.tenant.Name
	} else if w.session.home != nil {
		// An attempt on a tenant out of reach is told to the tenant that it came from, whose patient it is not about.
		r.Tenant, r.Subject = w.session.home.Name, nil
	}
	if outcome == audit.Clamped && p.asked > 0 {
		r.Detail = w.askedDetail(p.asked)
	}
	r.ExpiresAt = 0
	if p.expires != 0 {
		r.ExpiresAt = w.call.Wall(p.expires)
	}
	w.add(r)
}

// askedDetail says what was asked for where less was granted. The text is valid until the next one is made.
func (w *Worker) askedDetail(milliseconds int64) string {
	w.detail = append(strconv.AppendInt(append(w.detail[:0], "asked="...), milliseconds, 10), "ms"...)
	return unsafe.String(unsafe.SliceData(w.detail), len(w.detail))
}

// recorded applies the category's setting: PHI always, and refusals always.
func recorded(c *policy.Category, o audit.Outcome, spec *command.Spec) bool {
	switch c.Audit {
	case policy.AuditNone:
		return o == audit.Denied || o == audit.Refused
	case policy.AuditWrites:
		return mayWrite(spec) || o == audit.Denied || o == audit.Refused
	default:
		return true
	}
}

func (w *Worker) keyOutcome(i int) audit.Outcome {
	if w.refused != "" {
		return refusals[w.refused]
	}
	told := command.Untold
	if i < len(w.call.Told) {
		told = w.call.Told[i]
	}
	switch {
	case w.call.Failed && told != command.Stored && told != command.Deleted:
		return audit.Failed // an error was answered, so what was found was not given
	case told == command.Untold:
		return audit.OK
	}
	if told == command.Stored && w.placed[i].verdict == policy.Clamped {
		return audit.Clamped
	}
	return outcomes[told]
}

var actions = [...]audit.Action{
	command.ActionRead: audit.Read, command.ActionWrite: audit.Write, command.ActionDelete: audit.Delete,
	command.ActionList: audit.List, command.ActionAdmin: audit.Admin, command.ActionAuthenticate: audit.Authenticate,
}

var outcomes = [...]audit.Outcome{
	command.Hit: audit.Hit, command.Miss: audit.Miss, command.Stored: audit.Stored, command.Unchanged: audit.Unchanged,
	command.Deleted: audit.Deleted,
}

// refusals says by the step that stopped a command whether it was the credential or a limit that did.
var refusals = map[string]audit.Outcome{
	"command": audit.Denied, "key": audit.Denied, "tenant": audit.Denied, "authentication": audit.Denied,
	"arity": audit.Failed, "policy": audit.Refused, "context": audit.Failed, "transaction": audit.Failed, "channel": audit.Denied, "busy": audit.Failed, "quota": audit.Refused, "memory": audit.Refused, "audit": audit.Refused,
	"consent": audit.Refused,
}

// removals is a Worker as the engine sees it when an entry goes by itself while a command runs.
type removals Worker

// Removed records an expiration or an eviction in the round of the command that met it.
func (x *removals) Removed(r engine.Removal) {
	w := (*Worker)(x)
	w.g.recordRemoval(&w.batch, r, w.call.WallNow, w.call.Now)
	w.g.removed(&w.outbox, &w.ready, r)
}

func (g *Gateway) recordRemoval(b *audit.Batch, r engine.Removal, wall, now int64) {
	c := g.Categories()[r.Category]
	action, outcome := audit.Expire, audit.Expired
	detail := ""
	switch r.Reason {
	case engine.Evicted:
		action, outcome = audit.Evict, audit.Evicted
	case engine.FieldsExpired:
		detail = "fields"
	}
	g.Stats.removed(r)
	if c.Audit == policy.AuditNone {
		return
	}
	b.Add(&audit.Record{
		At: wall, Actor: g.system, Action: action, Outcome: outcome, Tenant: g.tenantName(r.Tenant), Category: c.Name,
		Key: r.Key, Subject: g.Policy().Match(r.Key).Subject, ExpiresAt: r.ExpiresAt - now + wall, Detail: detail,
	})
}
