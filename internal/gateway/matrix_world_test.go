package gateway_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// world is a gateway with three tenants that have the same entries, one user for each role and way of logging in, and,
// of the other tenant, a listener, a script, a library and a named connection that nobody may hear of.
type world struct {
	*harness
	sessions             []*gateway.Session
	own, other, global   *gateway.Session // of users who may do everything in their tenant
	ear                  *link            // of the other tenant's listener
	sha, dump, libraries string
	tokens               map[string]string
}

const (
	canary        = "canary"
	matrixScript  = "return redis.call('GET',KEYS[1])"
	matrixLibrary = "#!lua name=matrixlib\nredis.register_function{function_name='matrixget',callback=function(k) return redis.call('GET',k[1]) end,flags={'no-writes'}}"
)

// column is a column of the matrix: roles and tenants of a user.
type column struct {
	title, name, roles, tenants, rules string
	fileOnly                           bool // a provider cannot vouch for it
	unprinted                          bool
}

func columns() []column {
	return []column{
		{title: "application", name: "application", roles: "application", tenants: "TENANTA"},
		{title: "application that names global", name: "application-global", roles: "application", tenants: "TENANTA,global"},
		{title: "read-only", name: "read-only", roles: "read-only", tenants: "TENANTA"},
		{title: "operator", name: "operator", roles: "operator", tenants: "TENANTA"},
		{title: "auditor", name: "auditor", roles: "auditor", tenants: "TENANTA"},
		{title: "privacy-officer", name: "privacy-officer", roles: "privacy-officer", tenants: "TENANTA"},
		{title: "break-glass, opened", name: "break-glass", roles: "break-glass", tenants: "TENANTHOME", fileOnly: true},
		{title: "no role, `~* &* +@all`", name: "everything", rules: "~* &* +@all", tenants: "TENANTA", fileOnly: true},
		// These may run scripts, so that what scripts may call is seen to be bound by the role.
		{name: "application-eval", roles: "application", rules: "+eval", tenants: "TENANTA", fileOnly: true, unprinted: true},
		{name: "read-only-eval", roles: "read-only", rules: "+eval", tenants: "TENANTA", fileOnly: true, unprinted: true},
	}
}

// methods are the ways of logging in.
func methods() []identity.Method {
	return []identity.Method{identity.ByToken, identity.ByCertificate, identity.ByJWT, identity.ByLDAP}
}

func (w *world) Sessions(f func(*gateway.Session) bool) {
	for _, s := range w.sessions {
		if !f(s) {
			return
		}
	}
}

func (w *world) Connections() int { return len(w.sessions) }

// vouching is a provider that vouches for everybody by method: the columns' roles, whatever is shown.
type vouching identity.Method

func (p vouching) Method() identity.Method { return identity.Method(p) }

func (p vouching) Takes(name string, credential []byte) bool {
	return strings.HasPrefix(string(credential), string(p)+"-")
}

func (p vouching) Check(ctx context.Context, name string, credential []byte) (identity.Claim, error) {
	return p.Again(ctx, identity.Claim{Name: name})
}

func (p vouching) Again(_ context.Context, c identity.Claim) (identity.Claim, error) {
	for _, col := range columns() {
		if c.Name == col.name+"-"+string(p) {
			c.Tenants, c.Roles, c.GoodUntil = strings.Split(col.tenants, ","), []string{col.roles}, time.Now().Add(time.Hour)
			return c, nil
		}
	}
	return c, identity.ErrDenied
}

// newWorld makes a world whose other tenant has entries or is empty.
func newWorld(t testing.TB, filled bool) *world {
	t.Helper()
	w := &world{harness: newHarness(t), tokens: map[string]string{}}
	w.gateway.Server = w
	w.own, w.global = w.login("matrix-root-own", "TENANTA", "~* &* +@all"), w.login("matrix-root-global", "global", "~* &* +@all")
	w.other = w.login("matrix-root-other", "TENANTB", "~* &* +@all")
	w.addColumns()
	w.gateway.Directory.Use(vouching(identity.ByJWT), vouching(identity.ByLDAP))
	w.fill(w.own, ownPrefix, "7")
	w.fill(w.global, globalPrefix, "7")
	w.sha = strings.Split(w.must(w.own, "SCRIPT", "LOAD", matrixScript), "\r\n")[1]
	w.must(w.own, "FUNCTION", "LOAD", "REPLACE", matrixLibrary)
	w.dump, w.libraries = bulk(w.must(w.own, "DUMP", ownPrefix+"string")), bulk(w.must(w.own, "FUNCTION", "DUMP"))
	listener := w.gateway.NewSession("198.51.100.9:9", "")
	w.ear = &link{closed: func() {}}
	listener.Attach(w.ear)
	w.sessions = append(w.sessions, w.own, w.other, w.global, listener)
	if filled {
		w.fill(w.other, otherPrefix, canary)
		w.must(w.other, "SCRIPT", "LOAD", "return '"+canary+"'")
		w.must(w.other, "FUNCTION", "LOAD", strings.ReplaceAll(matrixLibrary, "matrix", canary))
		w.must(w.other, "CLIENT", "SETNAME", canary)
		w.listen(listener)
	}
	return w
}

// listen makes a session hear everything that the other tenant can.
func (w *world) listen(s *gateway.Session) {
	w.t.Helper()
	var token secret.Bytes
	err := w.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: canary + "-listener", Tenants: []string{"TENANTB"}, Rules: "~* &* +@all"})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.must(s, "AUTH", canary+"-listener", string(token.Reveal()))
	w.must(s, "SUBSCRIBE", otherPrefix+"string", canary)
	w.must(s, "SSUBSCRIBE", otherPrefix+"string")
	w.must(s, "PSUBSCRIBE", "*")
}

// addColumns adds the users that the file has: those with tokens and those with certificates.
func (w *world) addColumns() {
	w.t.Helper()
	err := w.gateway.Directory.Update(func(d *identity.Draft) error {
		for _, c := range columns() {
			for _, m := range []identity.Method{identity.ByToken, identity.ByCertificate} {
				n := identity.NewUser{Name: c.name + "-" + string(m), Tenants: strings.Split(c.tenants, ","), Rules: c.rules, Attributes: map[string]string{}}
				if c.roles != "" {
					n.Attributes["roles"] = c.roles
				}
				if m == identity.ByCertificate {
					n.NoToken, n.Attributes["certificates"] = true, "cn:"+n.Name
				}
				token, err := d.Add(n)
				if err != nil {
					return err
				}
				w.tokens[n.Name] = string(token.Reveal())
			}
		}
		_, err := d.Add(identity.NewUser{Name: "matrix-victim", Tenants: []string{"TENANTA"}, Rules: "-@all"})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.openEmergencies()
}

// openEmergencies opens an emergency in the own tenant for the users with the role break-glass.
func (w *world) openEmergencies() {
	w.t.Helper()
	dir, err := secret.OpenDir(filepath.Join(w.dir, "keys"))
	if err != nil {
		w.t.Fatal(err)
	}
	grants := identity.OpenGrants(dir.File(identity.GrantsFile), dir)
	for _, m := range []identity.Method{identity.ByToken, identity.ByCertificate} {
		g := identity.Grant{User: "break-glass-" + string(m), Tenant: "TENANTA", Reason: "the matrix", OpenedBy: "the test"}
		if _, err := grants.Open(g, time.Hour); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.gateway.Directory.KeepEmergencies(grants, false); err != nil {
		w.t.Fatal(err)
	}
}

// enter opens a connection of a column's user.
func (w *world) enter(c column, m identity.Method) *gateway.Session {
	w.t.Helper()
	s := w.gateway.NewSession("192.0.2.1:1", "192.0.2.2:6380")
	s.Attach(&link{closed: func() {}})
	name := c.name + "-" + string(m)
	switch m {
	case identity.ByCertificate:
		w.worker.Begin()
		w.worker.Certified(s, &x509.Certificate{Subject: pkix.Name{CommonName: name}})
		if err := w.worker.Commit(); err != nil {
			w.t.Fatal(err)
		}
	case identity.ByToken:
		w.must(s, "AUTH", name, w.tokens[name])
	default:
		w.must(s, "AUTH", name, string(m)+"-"+name)
	}
	if !s.Authenticated() {
		w.t.Fatalf("%s is not in", name)
	}
	return s
}

// must runs a call that is to succeed.
func (w *world) must(s *gateway.Session, words ...string) string {
	w.t.Helper()
	reply := w.aside(s, words...)
	if strings.HasPrefix(reply, "-") {
		w.t.Fatalf("%q: %q", words, reply)
	}
	return reply
}

func bulk(reply string) string {
	_, value, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(value, "\r\n")
}

// fill makes the entries of a tenant anew, two of each type.
func (w *world) fill(s *gateway.Session, prefix, value string) {
	w.t.Helper()
	for _, kind := range []string{"string", "hash", "list", "set", "zset", "stream", "geo", "hyperloglog"} {
		w.make(s, prefix, kind, value)
	}
}

func (w *world) make(s *gateway.Session, prefix, kind, value string) {
	w.t.Helper()
	for _, key := range []string{prefix + kind, prefix + kind + "2"} {
		w.aside(s, "DEL", key)
		w.must(s, map[string][]string{
			"string": {"SET", key, value}, "hash": {"HSET", key, "f", value}, "list": {"RPUSH", key, value}, "set": {"SADD", key, "m", value},
			"zset": {"ZADD", key, "1", "m", "2", value}, "stream": {"XADD", key, "1-1", "f", value}, "geo": {"GEOADD", key, "13", "38", "m"},
			"hyperloglog": {"PFADD", key, value},
		}[kind]...)
		if kind == "stream" {
			w.must(s, "XGROUP", "CREATE", key, "g", "0-0")
		}
		if kind == "hyperloglog" {
			w.must(s, "PFCOUNT", key) // notes the count in the value, which is no change that anybody sees
		}
	}
}

// digest is everything that a tenant has, as a user who may do everything sees it.
func (w *world) digest(s *gateway.Session) string {
	w.t.Helper()
	keys := strings.Split(w.must(s, "KEYS", "*"), "\r\n")
	sort.Strings(keys)
	var all strings.Builder
	for _, key := range keys {
		if strings.HasPrefix(key, "*") || strings.HasPrefix(key, "$") || key == "" {
			continue
		}
		fmt.Fprintf(&all, "%s %q %q\n", key, w.aside(s, "DUMP", key), w.aside(s, "PEXPIRETIME", key))
	}
	for _, call := range [][]string{{"FUNCTION", "DUMP"}, {"PUBSUB", "CHANNELS"}, {"PUBSUB", "SHARDCHANNELS"}, {"PUBSUB", "NUMPAT"}, {"CLIENT", "GETNAME"}} {
		lines := strings.Split(w.aside(s, call...), "\r\n")
		sort.Strings(lines)
		fmt.Fprintf(&all, "%q\n", lines)
	}
	return all.String()
}
