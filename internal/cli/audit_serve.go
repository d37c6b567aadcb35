package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/audit"
)

// auditOffice lets auditors search the log of a running server. It can as long as the opening key is in the data directory;
// where that was taken away, the log is read where the key is.
type auditOffice struct{ *serving }

// auditWords are the words of a search, in the order of the help.
var auditWords = []string{"user", "tenant", "subject", "category", "action", "outcome", "since", "until", "limit"}

// mostFound bounds one answer; who needs more asks for shorter times.
const mostFound = 10_000

var errFoundAll = errors.New("enough records were found")

// Find is for the admin API. Whoever reads the audit is in it himself, before anything is shown; without a record there is
// no answer (G3). Names are shown to nobody here: `lethe audit --reveal` does, where the key is.
func (o auditOffice) Find(ctx context.Context, who *admin.Officer, words url.Values, w io.Writer) error {
	q, limit, err := auditQuery(words, time.Now())
	if err != nil {
		return err
	}
	if q.Tenant != "" && !who.Reaches(q.Tenant) {
		return fmt.Errorf("%w: the tenant is none of the user's", admin.ErrQuery)
	}
	key, err := openingKey(o.dir)
	if err != nil {
		return err
	}
	opener, err := audit.NewOpener(key)
	if err != nil {
		return err
	}
	names, err := audit.NewPseudonyms(opener)
	if err != nil {
		return err
	}
	var b audit.Batch
	b.Add(&audit.Record{
		At: o.gateway.Clock.Wall(), Actor: &audit.Actor{User: who.Name, Method: who.Method}, Tenant: who.Home,
		Action: audit.Admin, Outcome: audit.OK, Command: "AUDIT", Detail: "search",
	})
	if err := o.audit.Commit(&b); err != nil {
		return err
	}
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	err = audit.Search(o.dir.File("audit"), opener, q, func(e *audit.Event) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case e.Tenant != "" && !who.Reaches(e.Tenant):
			return nil
		case limit == 0:
			return errFoundAll
		}
		limit--
		return lines.Encode(e.View(names, false))
	})
	if errors.Is(err, errFoundAll) {
		return nil
	}
	return err
}

// auditQuery understands the words of a request.
func auditQuery(words url.Values, now time.Time) (q audit.Query, limit int, err error) {
	for name := range words {
		if !slices.Contains(auditWords, name) || len(words[name]) != 1 {
			return q, 0, fmt.Errorf("%w: the words are user, tenant, subject, category, action, outcome, since, until and limit, each once", admin.ErrQuery)
		}
	}
	limit = mostFound
	if text := words.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostFound {
			return q, 0, fmt.Errorf("%w: the limit is a number from 1 to %d", admin.ErrQuery, mostFound)
		}
	}
	w := searchWords{action: words.Get("action"), outcome: words.Get("outcome"), since: words.Get("since"), until: words.Get("until")}
	w.q = audit.Query{User: words.Get("user"), Tenant: words.Get("tenant"), Subject: words.Get("subject"), Category: words.Get("category")}
	if q, err = w.query(now); err != nil {
		return q, 0, fmt.Errorf("%w: action, outcome, since or until is none that can be", admin.ErrQuery)
	}
	return q, limit, nil
}
