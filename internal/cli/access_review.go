package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
)

// accessReview is the state of access at an instant. Its JSON form is stable: fields are only ever added. Digest is the
// SHA-256 of the JSON of Users, which is what a reviewer approves: it does not depend on when the review was made.
type accessReview struct {
	MadeAt time.Time    `json:"made_at"`
	Users  []accessUser `json:"users"`
	Digest string       `json:"digest"`
}

// accessUser is one identity: what it may reach, when it last did, and what a reviewer should look at.
type accessUser struct {
	Name         string            `json:"name"`
	Provider     string            `json:"provider,omitempty"` // jwt or ldap: it is reviewed as it was when it was in last
	Enabled      bool              `json:"enabled"`
	Owner        string            `json:"owner"`
	Tenants      []string          `json:"tenants"`
	Attributes   map[string]string `json:"attributes"`
	Rules        string            `json:"rules"`
	Commands     int               `json:"commands"`      // that it may run
	Dangerous    []string          `json:"dangerous"`     // of these, those of Redis's category that an application has no use for
	Unused       []string          `json:"unused_rights"` // categories of commands of which it has used none; null: not known
	Tokens       []accessToken     `json:"tokens"`
	Certificates []string          `json:"certificates"`
	LastUsed     *time.Time        `json:"last_used"` // null: not known
	ObservedFrom *time.Time        `json:"observed_from"`
	Findings     []string          `json:"findings"`
}

type accessToken struct {
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires"`
	Generated bool       `json:"generated"`
	LastUsed  *time.Time `json:"last_used"`
}

const (
	longUnused   = 90 * 24 * time.Hour
	oldToken     = 365 * 24 * time.Hour
	soonEnds     = 14 * 24 * time.Hour
	observedLong = 30 * 24 * time.Hour // of watching, after which what was not used is called unused
)

func (a *accessCommands) review() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use: "review", Short: "List every identity, what it may reach, when it last did, and what to look at",
		Long: `List the users of the users file, and the identities of OpenID providers and LDAP directories that have been in, with the
tenants and roles that these gave them last. Who has never been in is known there only.`,
		Example: "  lethe access review\n  lethe access review --format html > review.html",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.gather(time.Now().UTC().Truncate(time.Second))
			if err != nil {
				return err
			}
			return a.write(form, r)
		},
	}
	cmd.Flags().StringVar(&form, "format", "table", "table, csv, json or html")
	return cmd
}

// gather makes the review of the users as they are.
func (a *accessCommands) gather(now time.Time) (*accessReview, error) {
	users, err := a.open(false)
	if err != nil {
		return nil, err
	}
	last := a.lastUses()
	r := &accessReview{MadeAt: now, Users: []accessUser{}}
	for _, u := range users.Users() {
		r.Users = append(r.Users, a.reviewUser(u, last[u.Name], now))
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		if _, filed := users.Lookup(name); filed {
			continue
		}
		if u, ok := identity.Seen(a.set, name, last[name]); ok {
			r.Users = append(r.Users, a.reviewUser(u, last[name], now))
		}
	}
	r.Digest, err = r.digest()
	return r, err
}

// digest is over what access is, and not over when it was used: a review that is being read must not change under its
// reader because somebody logs in. An identity that is seen for the first time, or with other roles, is a change of access.
func (r *accessReview) digest() (string, error) {
	type fixed struct {
		Name, Owner, Rules string
		Enabled            bool
		Tenants            []string
		Attributes         map[string]string
		Tokens             []accessToken
		Provider           string `json:",omitempty"`
	}
	var all []fixed
	for _, u := range r.Users {
		f := fixed{u.Name, u.Owner, u.Rules, u.Enabled, u.Tenants, u.Attributes, slices.Clone(u.Tokens), u.Provider}
		for i := range f.Tokens {
			f.Tokens[i].LastUsed = nil
		}
		all = append(all, f)
	}
	text, err := json.Marshal(all) // maps are written in the order of their keys
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func (a *accessCommands) reviewUser(u *identity.User, last identity.LastUse, now time.Time) accessUser {
	r := accessUser{
		Name: u.Name, Provider: string(u.Provider()), Enabled: u.Enabled, Owner: u.Owner, Tenants: u.Tenants, Attributes: attributesOf(u), Rules: u.Permissions().Rules(a.set),
		Tokens: []accessToken{}, Certificates: u.Certificates, Dangerous: []string{}, Findings: []string{},
	}
	if !last.At.IsZero() {
		r.LastUsed, r.ObservedFrom = &last.At, &last.Since
	}
	dangerous, _ := a.set.InCategory("dangerous")
	usual, err := identity.ParseRules(a.set, identity.DefaultRules(a.set)) // INFO is among both, bound to the tenant here
	if err != nil {
		panic("BUG: the default rules cannot be read")
	}
	for id := range a.set.Len() {
		if len(a.set.Children(id)) > 0 || u.Permissions().Paths(id) == 0 {
			continue
		}
		r.Commands++
		if slices.Contains(dangerous, id) && usual.Paths(id) == 0 {
			r.Dangerous = append(r.Dangerous, a.set.Name(id))
		}
	}
	for _, t := range u.Tokens() {
		j := accessToken{Created: t.CreatedAt, Generated: t.Generated}
		if !t.ExpiresAt.IsZero() {
			j.Expires = &t.ExpiresAt
		}
		if at, known := last.Tokens[t.ID]; known {
			j.LastUsed = &at
		}
		r.Tokens = append(r.Tokens, j)
	}
	if r.ObservedFrom != nil && now.Sub(*r.ObservedFrom) >= observedLong {
		r.Unused = a.unused(u, last.Commands)
	}
	r.Findings = findings(&r, u, now)
	return r
}

// unused lists the categories of commands that a user may run and has used nothing of.
func (a *accessCommands) unused(u *identity.User, used []string) []string {
	unused := []string{}
	for _, category := range []string{"read", "write", "string", "hash", "list", "set", "sortedset", "stream", "bitmap", "hyperloglog", "geo",
		"pubsub", "transaction", "scripting", "admin", "dangerous"} {
		ids, _ := a.set.InCategory(category)
		may := func(id int) bool { return u.Permissions().Paths(id) != 0 && len(a.set.Children(id)) == 0 }
		did := func(id int) bool { return slices.Contains(used, a.set.Name(id)) }
		if slices.ContainsFunc(ids, may) && !slices.ContainsFunc(ids, did) {
			unused = append(unused, category)
		}
	}
	return unused
}

// findings are what a reviewer should look at, in words that stay the same.
func findings(r *accessUser, u *identity.User, now time.Time) []string {
	found := []string{}
	add := func(holds bool, text string) {
		if holds {
			found = append(found, text)
		}
	}
	add(r.Owner == "", "has no owner")
	if !u.Enabled {
		return append(found, "is disabled: remove it when it is not needed")
	}
	add(!u.EndsAt.IsZero() && !now.Before(u.EndsAt), "has ended: remove it")
	add(r.Provider == "" && u.EndsAt.IsZero() && u.Rights() != 0, "is a person's and has no end")
	add(r.LastUsed == nil, "was never seen in use")
	add(r.LastUsed != nil && now.Sub(*r.LastUsed) > longUnused, "was not used for 90 days")
	add(len(r.Dangerous) > 0, "may run dangerous commands")
	add(len(r.Unused) > 0, "has rights that it does not use")
	add(len(u.Tenants) > 1, "reaches several tenants")
	if r.Provider != "" {
		return found // it has no conditions and tokens of its own: its provider ends it
	}
	add(len(u.Sources) == 0 && len(u.Certificates) == 0, "may come from anywhere")
	add(len(r.Tokens) == 0 && len(u.Certificates) == 0, "has neither token nor certificate: nobody can be it")
	valid := 0
	for _, t := range r.Tokens {
		over := t.Expires != nil && !now.Before(*t.Expires)
		if !over {
			valid++
		}
		add(over, "has a token that has expired")
		add(!over && t.Expires == nil, "has a token that does not expire by itself")
		add(!over && t.Expires != nil && t.Expires.Sub(now) < soonEnds, "has a token that expires within 14 days")
		add(!over && now.Sub(t.Created) > oldToken, "has a token older than a year")
		add(!over && !t.Generated, "has a chosen token, weaker than a generated one")
	}
	add(valid > 1, "has two tokens: a replacement was not finished")
	return slices.Compact(found)
}

// countFindings is how many users have some.
func (r *accessReview) countFindings() (n int) {
	for _, u := range r.Users {
		if len(u.Findings) > 0 {
			n++
		}
	}
	return n
}

// summary is the first line of a review for people.
func (r *accessReview) summary() string {
	return fmt.Sprintf("Access review of %s: %d identities, %d with findings, digest %s", stamp(r.MadeAt), len(r.Users), r.countFindings(), strings.ToLower(r.Digest))
}
