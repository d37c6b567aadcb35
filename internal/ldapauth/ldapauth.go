package ldapauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// Options say which directory is asked, and how users and their groups are found in it.
type Options struct {
	URL   string         // ldaps://host, or ldap://host for StartTLS
	Roots *x509.CertPool // authorities of its certificate; nil for the system's

	// UserDN is where users are, with {user} for the name: "uid={user},ou=people,dc=example,dc=org". Without it they are
	// searched for.
	UserDN string
	// SearchDN and SearchPassword are the account that searches. It is also what users are looked up with again; without it
	// a connection has to authenticate anew when Cache is over.
	SearchDN       string
	SearchPassword secret.Bytes
	BaseDN         string // where users are searched for
	Filter         string // with {user}: "(&(objectClass=person)(uid={user}))"; what it does not find cannot be in
	NameAttribute  string // "" for uid

	GroupAttribute string // of the user, with the names of groups, such as memberOf; "" when they are searched for
	GroupBaseDN    string
	GroupFilter    string // with {dn} for the user's name: "(&(objectClass=groupOfNames)(member={dn}))"
	Groups         []Group

	Cache   time.Duration // how long what was found is relied on; 0 for a minute
	Timeout time.Duration // of one question; 0 for 5 s
	Clock   func() time.Time
}

// Group is what members of a group may do.
type Group struct {
	DN      string
	Roles   []string
	Tenants []string
}

// Provider checks passwords. Safe for concurrent use: it opens a connection for each question.
type Provider struct {
	o      Options
	host   string
	groups []*ldap.DN
}

const (
	maxNameBytes     = 128
	maxPasswordBytes = 512
	maxGroups        = 1000
)

// New returns a provider. It connects with the first question.
func New(o Options) (*Provider, error) {
	p := &Provider{o: o}
	if p.o.Cache == 0 {
		p.o.Cache = time.Minute
	}
	if p.o.Timeout == 0 {
		p.o.Timeout = 5 * time.Second
	}
	if p.o.NameAttribute == "" {
		p.o.NameAttribute = "uid"
	}
	if p.o.Clock == nil {
		p.o.Clock = time.Now
	}
	return p, p.check()
}

func (p *Provider) check() error {
	o := &p.o
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "ldaps" && u.Scheme != "ldap" {
		return errors.New("cannot use the LDAP directory: its address is no ldaps:// or ldap:// URL")
	}
	p.host = u.Hostname()
	switch {
	case o.UserDN == "" && (o.BaseDN == "" || o.Filter == ""):
		return errors.New("cannot use LDAP: neither a user_dn nor a base_dn with a filter says where users are")
	case o.UserDN != "" && !strings.Contains(o.UserDN, "{user}") || o.UserDN == "" && !strings.Contains(o.Filter, "{user}"):
		return errors.New("cannot use LDAP: neither user_dn nor filter has a place for {user}")
	case o.GroupAttribute == "" && (o.GroupBaseDN == "" || !strings.Contains(o.GroupFilter, "{dn}")):
		return errors.New("cannot use LDAP: neither a group attribute nor a group search with {dn} says which groups a user is in")
	case len(o.Groups) == 0:
		return errors.New("cannot use LDAP: no group is mapped, so nobody could be in")
	}
	for _, filter := range []string{o.Filter, o.GroupFilter} {
		if filter == "" {
			continue
		}
		if _, err := ldap.CompileFilter(fill(filter, "x", "x", ldap.EscapeFilter)); err != nil {
			return errors.New("cannot use LDAP: a filter is not written as RFC 4515 has it")
		}
	}
	for _, g := range o.Groups {
		dn, err := ldap.ParseDN(g.DN)
		if err != nil || len(dn.RDNs) == 0 {
			return errors.New("cannot use LDAP: a group's name is no distinguished name")
		}
		p.groups = append(p.groups, dn)
	}
	return nil
}

// fill puts a name and a distinguished name into a template, escaped for where they go.
func fill(template, user, dn string, escape func(string) string) string {
	return strings.NewReplacer("{user}", escape(user), "{dn}", escape(dn)).Replace(template)
}

// Method is how audit records name it.
func (p *Provider) Method() identity.Method { return identity.ByLDAP }

// Takes tells names and passwords that can be a user's of the directory.
func (p *Provider) Takes(name string, credential []byte) bool {
	return validName(name) && len(credential) > 0 && len(credential) <= maxPasswordBytes
}

// validName accepts letters, digits and . _ - + @: what needs no escape anywhere. Everything is escaped all the same.
func validName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && strings.IndexFunc(name, func(r rune) bool {
		return r != '.' && r != '_' && r != '-' && r != '+' && r != '@' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// Check finds the user, binds as it with the password, and looks up its groups.
func (p *Provider) Check(ctx context.Context, name string, password []byte) (identity.Claim, error) {
	if !p.Takes(name, password) {
		return identity.Claim{}, denied("ldap-name")
	}
	return p.with(ctx, func(c *ldap.Conn) (identity.Claim, error) {
		dn := ""
		if p.o.UserDN != "" {
			dn = fill(p.o.UserDN, name, "", ldap.EscapeDN)
		} else {
			entry, err := p.find(c, name)
			if err != nil {
				return identity.Claim{}, err
			}
			dn = entry.DN
		}
		// The library takes a string; the copy cannot be cleared, and lives as long as the collector lets it.
		if err := c.Bind(dn, string(password)); err != nil {
			if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
				ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation) {
				return identity.Claim{}, denied("ldap-password")
			}
			return identity.Claim{}, unavailable(err)
		}
		return p.describe(c, name, dn)
	})
}

// Again looks the user up with the searching account: one who is gone, no longer found by the filter, or in no mapped
// group is denied.
func (p *Provider) Again(ctx context.Context, claim identity.Claim) (identity.Claim, error) {
	dn, ok := claim.Private.(string)
	if !ok || p.o.SearchDN == "" {
		return claim, errors.New("there is no account to look users up with")
	}
	return p.with(ctx, func(c *ldap.Conn) (identity.Claim, error) { return p.describe(c, claim.Name, dn) })
}

// with runs f on a connection of its own.
func (p *Provider) with(ctx context.Context, f func(*ldap.Conn) (identity.Claim, error)) (identity.Claim, error) {
	c, err := p.connect(ctx)
	if err != nil {
		return identity.Claim{}, unavailable(err)
	}
	defer c.Close()
	return f(c)
}

// connect opens a connection with TLS. Version 1.2 is taken from directories that have no newer one.
func (p *Provider) connect(ctx context.Context) (*ldap.Conn, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: p.host, RootCAs: p.o.Roots}
	dialer := &net.Dialer{Timeout: p.o.Timeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	c, err := ldap.DialURL(p.o.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(settings))
	if err != nil {
		return nil, err
	}
	c.SetTimeout(p.o.Timeout)
	if strings.HasPrefix(p.o.URL, "ldap:") {
		if err := c.StartTLS(settings); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// search binds as the searching account where there is one, and searches.
func (p *Provider) search(c *ldap.Conn, base string, scope int, filter string, limit int, attributes ...string) ([]*ldap.Entry, error) {
	if p.o.SearchDN != "" {
		if err := c.Bind(p.o.SearchDN, string(p.o.SearchPassword.Reveal())); err != nil {
			return nil, unavailable(err)
		}
	}
	seconds := max(1, int(p.o.Timeout.Seconds()))
	r := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, limit, seconds, false, filter, attributes, nil)
	found, err := c.Search(r)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, nil
	}
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && found != nil {
		return found.Entries, nil // more than the limit is as good as the limit
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return found.Entries, nil
}

// find searches for the one user of a name.
func (p *Provider) find(c *ldap.Conn, name string) (*ldap.Entry, error) {
	const more = 2 // one is wanted; two are told from one
	entries, err := p.search(c, p.o.BaseDN, ldap.ScopeWholeSubtree, fill(p.o.Filter, name, "", ldap.EscapeFilter), more, p.attributes()...)
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 {
		return nil, denied("ldap-user")
	}
	return entries[0], nil
}

func (p *Provider) attributes() []string {
	if p.o.GroupAttribute == "" {
		return []string{p.o.NameAttribute}
	}
	return []string{p.o.NameAttribute, p.o.GroupAttribute}
}

// describe says what the user at dn may do, as far as the directory shows it now.
func (p *Provider) describe(c *ldap.Conn, name, dn string) (identity.Claim, error) {
	entry, err := p.entry(c, name, dn)
	if err != nil {
		return identity.Claim{}, err
	}
	// LDAP compares names without case; here two spellings would be two users.
	if entry.GetAttributeValue(p.o.NameAttribute) != name {
		return identity.Claim{}, denied("ldap-name")
	}
	groups := entry.GetAttributeValues(p.o.GroupAttribute)
	if p.o.GroupAttribute == "" {
		found, err := p.search(c, p.o.GroupBaseDN, ldap.ScopeWholeSubtree, fill(p.o.GroupFilter, name, dn, ldap.EscapeFilter), maxGroups, "cn")
		if err != nil {
			return identity.Claim{}, err
		}
		for _, g := range found {
			groups = append(groups, g.DN)
		}
	}
	claim := identity.Claim{Name: name, GoodUntil: p.o.Clock().Add(p.o.Cache), Private: dn}
	if p.o.SearchDN != "" {
		claim.Renewal = p.o.Cache
	}
	if !p.grant(&claim, groups) {
		return identity.Claim{}, denied("ldap-group")
	}
	return claim, nil
}

// entry reads the user's entry: by the filter where there is one, so that what it leaves out is out.
func (p *Provider) entry(c *ldap.Conn, name, dn string) (*ldap.Entry, error) {
	if p.o.Filter == "" {
		entries, err := p.search(c, dn, ldap.ScopeBaseObject, "(objectClass=*)", 1, p.attributes()...)
		if err != nil {
			return nil, err
		}
		if len(entries) != 1 {
			return nil, denied("ldap-user")
		}
		return entries[0], nil
	}
	base, scope := p.o.BaseDN, ldap.ScopeWholeSubtree
	if base == "" {
		base, scope = dn, ldap.ScopeBaseObject
	}
	entries, err := p.search(c, base, scope, fill(p.o.Filter, name, "", ldap.EscapeFilter), 2, p.attributes()...)
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 || !sameDN(entries[0].DN, dn) {
		return nil, denied("ldap-user")
	}
	return entries[0], nil
}

func sameDN(a, b string) bool {
	x, err := ldap.ParseDN(a)
	y, err2 := ldap.ParseDN(b)
	return err == nil && err2 == nil && x.EqualFold(y)
}

// grant adds up what the user's groups give, in the order of the settings; false when that is nothing.
func (p *Provider) grant(claim *identity.Claim, names []string) bool {
	var member []*ldap.DN
	for _, name := range names {
		if dn, err := ldap.ParseDN(name); err == nil {
			member = append(member, dn)
		}
	}
	add := func(to *[]string, texts []string) {
		for _, text := range texts {
			if !slices.Contains(*to, text) {
				*to = append(*to, text)
			}
		}
	}
	for i, g := range p.o.Groups {
		if slices.ContainsFunc(member, p.groups[i].EqualFold) {
			add(&claim.Roles, g.Roles)
			add(&claim.Tenants, g.Tenants)
		}
	}
	return len(claim.Roles) > 0 && len(claim.Tenants) > 0
}

func denied(reason string) error { return &identity.Denial{Reason: reason} }

// unavailable takes what a server said off its error: it can name users.
func unavailable(err error) error {
	var le *ldap.Error
	if errors.As(err, &le) {
		return fmt.Errorf("cannot ask the LDAP directory: result %d (%s)", le.ResultCode, ldap.LDAPResultCodeMap[le.ResultCode])
	}
	return fmt.Errorf("cannot ask the LDAP directory: %w", err)
}
