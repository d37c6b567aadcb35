package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	c := load(t, `
users_file: /etc/lethe/users.acl
protected_mode: off
confirm_emergencies: on
allow_from: [10.0.0.0/8, 2001:db8::1]
proxy_from: 10.9.0.1
limits: {user_rate: 1000, tenant_rate: 50000, connection_life: 8h}
tls: {client_ca: ca.pem, client_crl: crl.pem, client_auth: optional}
oidc:
  issuer: https://idp.example.org
  audience: lethe
  algorithms: [ES256]
  roles: "nurses=read-only, admins=operator"
ldap:
  url: ldaps://ldap.example.org
  groups: "cn=nurses,ou=groups,dc=x => read-only @ TENANT001,TENANT002; cn=ops,dc=x => operator,auditor @ TENANT001"
  cache: 30s
`, nil, home)
	a := c.Access
	got := fmt.Sprintln(a.UsersFile, a.Protected, a.ConfirmEmergencies, a.AllowFrom, a.ProxyFrom, a.UserRate, a.TenantRate, a.ConnectionLife, c.TLS.ClientAuth, c.TLS.ClientCRL)
	got = strings.TrimSpace(got)
	if want := "/etc/lethe/users.acl false true [10.0.0.0/8 2001:db8::1/128] [10.9.0.1/32] 1000 50000 8h0m0s optional crl.pem"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := fmt.Sprint(a.OIDC.Algorithms, a.OIDC.RolesValues, a.OIDC.UserClaim), "[ES256] map[admins:operator nurses:read-only]sub"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := fmt.Sprint(a.LDAP.Groups, a.LDAP.Cache), "[{cn=nurses,ou=groups,dc=x [read-only] [TENANT001 TENANT002]} {cn=ops,dc=x [operator auditor] [TENANT001]}] 30s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	d := load(t, "", nil, home).Access
	if !d.Protected || d.ConfirmEmergencies || d.UserRate != 0 || d.ConnectionLife != 0 || d.LDAP.Cache != time.Minute || d.OIDC.Issuer != "" {
		t.Errorf("%+v", d)
	}
}

func TestAccessMistakes(t *testing.T) {
	t.Parallel()
	f := func(flag, value, want string) {
		t.Helper()
		_, mistakes := config.Load("", map[string]string{flag: value}, home.get)
		if len(mistakes) != 1 || mistakes[0].Problem != want {
			t.Errorf("--%s %q: %v", flag, value, mistakes)
		}
	}
	f("protected-mode", "yes", "protected_mode is neither on nor off")
	f("allow-from", "10.0.0.1/8", "allow_from is not a list of addresses and ranges")
	f("allow-from", "balancer.example.org", "allow_from is not a list of addresses and ranges")
	f("proxy-from", "any", "proxy_from is not a list of addresses and ranges")
	f("limits-user-rate", "0", "limits.user_rate is not a number in its range")
	f("limits-connection-life", "5s", "limits.connection_life is out of its range")
	f("oidc-roles", "nurses", "oidc.roles is not a list of VALUE=NAME")
	f("oidc-roles", "a=b,a=c", "oidc.roles is not a list of VALUE=NAME")
	f("oidc-issuer", "https://idp.example.org", "oidc.issuer is given without oidc.audience")
	f("ldap-groups", "cn=nurses => read-only", "ldap.groups is not a list of groups")
	f("ldap-groups", "cn=nurses => @ T", "ldap.groups is not a list of groups")
	f("ldap-search-dn", "cn=x", "ldap.search_dn is given without ldap.search_password_file")
	f("tls-client-crl", "crl.pem", "tls.client_crl is given without tls.client_ca")
	f("tls-client-auth", "sometimes", "tls.client_auth is none of its choices")
}
