package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Access is who may connect, and who says so.
type Access struct {
	UsersFile          string         // "" is users.yaml of the data directory; a name that ends in .acl is of a file in Redis's syntax
	Protected          bool           // refuse to listen beyond this machine without users and a certificate for it
	ConfirmEmergencies bool           // an emergency access needs a second person
	AllowFrom          []netip.Prefix // addresses that clients may authenticate from; none: all
	ProxyFrom          []netip.Prefix // balancers whose PROXY headers are believed; none: nobody's
	UserRate           int            // commands a second; 0: no limit
	TenantRate         int            // commands a second; 0: no limit
	ConnectionLife     time.Duration  // 0: no end
	OIDC               OIDC
	LDAP               LDAP
}

// OIDC is an OpenID provider whose tokens are credentials.
type OIDC struct {
	Issuer, Audience, CA      string // "" for Issuer: none
	Algorithms                []string
	UserClaim, TenantsClaim   string
	RolesClaim, PurposeClaim  string
	TenantValues, RolesValues map[string]string // of the claims
}

// LDAP is a directory whose users and passwords are credentials.
type LDAP struct {
	URL, CA                       string // "" for URL: none
	UserDN                        string
	SearchDN, SearchPasswordFile  string
	BaseDN, Filter, NameAttribute string
	GroupAttribute, GroupBaseDN   string
	GroupFilter                   string
	Groups                        []LDAPGroup
	Cache                         time.Duration
}

// LDAPGroup is what members of a group may do.
type LDAPGroup struct {
	DN             string
	Roles, Tenants []string
}

// Whether clients have to show certificates where there are authorities for them.
const (
	ClientAuthRequired = "required"
	ClientAuthOptional = "optional"
)

// accessRows are the settings of Access, and those of TLS that are about clients.
func accessRows() []entry {
	text := func(into func(*Config) *string) func(*Config, string) error { return path(into) } // any text without a zero byte
	const longest = 366 * 24 * time.Hour
	return []entry{
		row("users_file", "FILE", "", "the users; a name that ends in .acl is of a file in Redis's syntax; none is users.yaml of the data directory",
			path(func(c *Config) *string { return &c.Access.UsersFile })),
		row("protected_mode", "on|off", "on", "refuse to listen beyond this machine without users and a certificate for its names",
			onOff(func(c *Config) *bool { return &c.Access.Protected })),
		row("confirm_emergencies", "on|off", "off", "whether an emergency access needs a second person before it opens",
			onOff(func(c *Config) *bool { return &c.Access.ConfirmEmergencies })),
		row("allow_from", "RANGE,...", "", "addresses that clients may authenticate from; none is all",
			ranges(func(c *Config) *[]netip.Prefix { return &c.Access.AllowFrom })),
		row("proxy_from", "RANGE,...", "", "balancers, whose connections begin with a PROXY protocol header of version 2 that is believed; none is nobody",
			ranges(func(c *Config) *[]netip.Prefix { return &c.Access.ProxyFrom })),
		row("limits.user_rate", "NUMBER|off", "off", "commands a second of a user that has no rate of its own",
			orOff(number(1, 1_000_000_000, func(c *Config) *int { return &c.Access.UserRate }), func(c *Config) { c.Access.UserRate = 0 })),
		row("limits.tenant_rate", "NUMBER|off", "off", "commands a second of all users of a tenant",
			orOff(number(1, 1_000_000_000, func(c *Config) *int { return &c.Access.TenantRate }), func(c *Config) { c.Access.TenantRate = 0 })),
		row("limits.connection_life", "DURATION|off", "off", "after how long a connection ends, in use or not",
			orOff(duration(time.Minute, longest, func(c *Config) *time.Duration { return &c.Access.ConnectionLife }), func(c *Config) { c.Access.ConnectionLife = 0 })),

		row("tls.client_auth", ClientAuthRequired+"|"+ClientAuthOptional, ClientAuthRequired, "whether clients have to show a certificate where tls.client_ca is given",
			choice(func(c *Config) *string { return &c.TLS.ClientAuth }, ClientAuthRequired, ClientAuthOptional)),
		row("tls.client_crl", "FILE", "", "revocation lists of the authorities of tls.client_ca; with it, each of them needs one that is in force",
			path(func(c *Config) *string { return &c.TLS.ClientCRL })),

		row("oidc.issuer", "URL", "", "the OpenID provider whose tokens are credentials; none takes no tokens",
			text(func(c *Config) *string { return &c.Access.OIDC.Issuer })),
		row("oidc.audience", "NAME", "", "the audience that tokens must be meant for",
			text(func(c *Config) *string { return &c.Access.OIDC.Audience })),
		row("oidc.algorithms", "NAME,...", "RS256,PS256,ES256,ES384,EdDSA", "the signatures that are taken",
			names(func(c *Config) *[]string { return &c.Access.OIDC.Algorithms })),
		row("oidc.ca", "FILE", "", "the authorities of the provider's certificate, PEM; none is the system's",
			path(func(c *Config) *string { return &c.Access.OIDC.CA })),
		row("oidc.user_claim", "NAME", "sub", "the claim that names the user",
			text(func(c *Config) *string { return &c.Access.OIDC.UserClaim })),
		row("oidc.tenants_claim", "NAME", "lethe_tenants", "the claim that names the tenants, the home first",
			text(func(c *Config) *string { return &c.Access.OIDC.TenantsClaim })),
		row("oidc.roles_claim", "NAME", "lethe_roles", "the claim that names the roles; dots lead into objects",
			text(func(c *Config) *string { return &c.Access.OIDC.RolesClaim })),
		row("oidc.purpose_claim", "NAME", "lethe_purpose", "the claim that names the purpose of use",
			text(func(c *Config) *string { return &c.Access.OIDC.PurposeClaim })),
		row("oidc.tenants", "VALUE=TENANT,...", "", "what values of the tenants claim mean; with it, others mean nothing",
			pairs(func(c *Config) *map[string]string { return &c.Access.OIDC.TenantValues })),
		row("oidc.roles", "VALUE=ROLE,...", "", "what values of the roles claim mean; with it, others mean nothing",
			pairs(func(c *Config) *map[string]string { return &c.Access.OIDC.RolesValues })),

		row("ldap.url", "URL", "", "the LDAP directory whose users are taken: ldaps://HOST, or ldap://HOST for StartTLS; none asks none",
			text(func(c *Config) *string { return &c.Access.LDAP.URL })),
		row("ldap.ca", "FILE", "", "the authorities of the directory's certificate, PEM; none is the system's",
			path(func(c *Config) *string { return &c.Access.LDAP.CA })),
		row("ldap.user_dn", "DN", "", "where users are, with {user} for the name; none searches for them",
			text(func(c *Config) *string { return &c.Access.LDAP.UserDN })),
		row("ldap.search_dn", "DN", "", "the account that searches, and that users are looked up with again",
			text(func(c *Config) *string { return &c.Access.LDAP.SearchDN })),
		row("ldap.search_password_file", "FILE", "", "the file with the password of ldap.search_dn",
			path(func(c *Config) *string { return &c.Access.LDAP.SearchPasswordFile })),
		row("ldap.base_dn", "DN", "", "where users are searched for",
			text(func(c *Config) *string { return &c.Access.LDAP.BaseDN })),
		row("ldap.filter", "FILTER", "", "what finds a user, with {user} for the name, such as (&(objectClass=person)(uid={user}))",
			text(func(c *Config) *string { return &c.Access.LDAP.Filter })),
		row("ldap.name_attribute", "NAME", "uid", "the attribute that is the user's name",
			text(func(c *Config) *string { return &c.Access.LDAP.NameAttribute })),
		row("ldap.group_attribute", "NAME", "", "the attribute of users that names their groups, such as memberOf; none searches for them",
			text(func(c *Config) *string { return &c.Access.LDAP.GroupAttribute })),
		row("ldap.group_base_dn", "DN", "", "where groups are searched for",
			text(func(c *Config) *string { return &c.Access.LDAP.GroupBaseDN })),
		row("ldap.group_filter", "FILTER", "", "what finds a user's groups, with {dn} for the user, such as (&(objectClass=groupOfNames)(member={dn}))",
			text(func(c *Config) *string { return &c.Access.LDAP.GroupFilter })),
		row("ldap.groups", "DN => ROLE,... @ TENANT,...; ...", "", "what members of groups may do", setGroups),
		row("ldap.cache", "DURATION", "1m0s", "how long a user who was found is relied on before the directory is asked again",
			duration(time.Second, time.Hour, func(c *Config) *time.Duration { return &c.Access.LDAP.Cache })),
	}
}

func onOff(into func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text != "on" && text != "off" {
			return &valueError{"is neither on nor off", "write on or off"}
		}
		*into(c) = text == "on"
		return nil
	}
}

func ranges(into func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, text string) error {
		var all []netip.Prefix
		for item := range strings.SplitSeq(text, ",") {
			item = strings.TrimSpace(item)
			p, err := netip.ParsePrefix(item)
			if a, addrErr := netip.ParseAddr(item); addrErr == nil && a.Zone() == "" {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
			if err != nil || p.Masked() != p || p.Addr().Is4In6() {
				return &valueError{"is not a list of addresses and ranges", "write 10.1.0.0/16,192.0.2.7,2001:db8::/32"}
			}
			all = append(all, p)
		}
		*into(c) = all
		return nil
	}
}

func pairs(into func(*Config) *map[string]string) func(*Config, string) error {
	return func(c *Config, text string) error {
		all := map[string]string{}
		for item := range strings.SplitSeq(text, ",") {
			value, name, ok := strings.Cut(strings.TrimSpace(item), "=")
			if _, twice := all[value]; !ok || value == "" || name == "" || twice {
				return &valueError{"is not a list of VALUE=NAME", "write each value once: admins=operator,nurses=read-only"}
			}
			all[value] = name
		}
		*into(c) = all
		return nil
	}
}

func setGroups(c *Config, text string) error {
	var all []LDAPGroup
	for item := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		dn, gives, ok := strings.Cut(item, "=>")
		roles, tenants, placed := strings.Cut(gives, "@")
		g := LDAPGroup{DN: strings.TrimSpace(dn), Roles: trimmed(roles), Tenants: trimmed(tenants)}
		if !ok || !placed || g.DN == "" || slices.Contains(g.Roles, "") || slices.Contains(g.Tenants, "") {
			return &valueError{"is not a list of groups", "write cn=nurses,ou=groups,dc=example,dc=org => read-only @ TENANT001; and so on"}
		}
		all = append(all, g)
	}
	c.Access.LDAP.Groups = all
	return nil
}

func trimmed(list string) []string {
	var all []string
	for item := range strings.SplitSeq(list, ",") {
		all = append(all, strings.TrimSpace(item))
	}
	return all
}

// accessTogether checks what single values of Access cannot show.
func (l *loader) accessTogether() {
	a := &l.config.Access
	wrong := func(name, problem, mend string) {
		l.add(place{source: l.given[name].Source}, name, problem, mend)
	}
	if a.OIDC.Issuer != "" && a.OIDC.Audience == "" {
		wrong("oidc.issuer", "oidc.issuer is given without oidc.audience", "give the audience that tokens for this cache have")
	}
	if a.LDAP.SearchDN != "" && a.LDAP.SearchPasswordFile == "" {
		wrong("ldap.search_dn", "ldap.search_dn is given without ldap.search_password_file", "give the file with its password")
	}
	if l.config.TLS.ClientCRL != "" && l.config.TLS.ClientCA == "" {
		wrong("tls.client_crl", "tls.client_crl is given without tls.client_ca", "give the authorities that the lists are of")
	}
}
