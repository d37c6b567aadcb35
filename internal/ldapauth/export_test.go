package ldapauth

import (
	"context"

	"github.com/go-ldap/ldap/v3"
)

// FillFilter fills the template of a filter.
func FillFilter(template, user, dn string) string { return fill(template, user, dn, ldap.EscapeFilter) }

// FillDN fills the template of a distinguished name.
func FillDN(template, user string) string { return fill(template, user, "", ldap.EscapeDN) }

// Administer runs f on a connection that is bound as somebody.
func (p *Provider) Administer(dn, password string, f func(*ldap.Conn) error) error {
	c, err := p.connect(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Bind(dn, password); err != nil {
		return err
	}
	return f(c)
}
