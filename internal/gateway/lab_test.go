package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/gateway"
)

// lab is a harness with several users and the connections that they open. Beside the harness's app of TENANT001 there
// are a of TENANTA, b of TENANTB and both, who may do everything, and reader of TENANTA, who may read keys that begin with
// r: and delete those that begin with d:.
type lab struct {
	*harness
	users    map[string]*gateway.Session
	sessions []*gateway.Session // that are open
}

func (l *lab) Sessions(f func(*gateway.Session) bool) {
	for _, s := range slices.Clone(l.sessions) {
		if !f(s) {
			return
		}
	}
}

func (l *lab) Connections() int { return len(l.sessions) }

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{harness: newHarness(t)}
	l.gateway.Server = l
	const all = "~* &* +@all"
	l.users = map[string]*gateway.Session{
		"a": l.login("a", "TENANTA", all), "b": l.login("b", "TENANTB", all), "both": l.login("both", "TENANTA,TENANTB", all),
		"reader": l.login("reader", "TENANTA", "%R~r:* +get +set (~d:* +del)"),
	}
	return l
}

// connect returns the session of a user, which the others can see from then on.
func (l *lab) connect(user string) *gateway.Session {
	s := l.users[user]
	l.sessions = append(l.sessions, s)
	return s
}

// run runs a command as a round of its own and returns its reply.
func (l *lab) run(s *gateway.Session, words ...string) string {
	l.t.Helper()
	return l.as(s, strings.Join(words, " "))
}

// info returns the fields of a section of INFO.
func (l *lab) info(s *gateway.Session, section string) map[string]string {
	l.t.Helper()
	fields := map[string]string{}
	for line := range strings.SplitSeq(l.run(s, "INFO", section), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// events returns the audit's records that f chooses, each as its command, tenant and detail.
func (l *lab) events(f func(*audit.Event) bool) (lines string) {
	l.t.Helper()
	err := audit.Search(l.dir+"/audit", l.opener, audit.Query{}, func(e *audit.Event) error {
		if f(e) {
			lines += e.Command + " " + e.Tenant + " " + e.Detail + "\n"
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return lines
}
