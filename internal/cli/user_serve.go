package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/ldapauth"
	"github.com/lethe-cache/lethe/internal/oidc"
	"github.com/lethe-cache/lethe/internal/peer"
	"github.com/lethe-cache/lethe/internal/secret"
)

// accessKeeper is what a server looks after about who may be in.
type accessKeeper struct {
	usage  *identity.Usage
	trust  *peer.Trust // nil: no client certificates
	grants map[string]identity.State
}

// protect refuses to listen beyond this machine with what Lethe made up for a first look: nobody's users, and a
// certificate that names this machine only.
func (s *serving) protect() error {
	if !s.settings.Access.Protected {
		return nil
	}
	host, _, err := net.SplitHostPort(s.settings.Listen)
	if err != nil || host == "localhost" {
		return err
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return nil
	}
	if _, err := os.Stat(s.usersFile()); errors.Is(err, fs.ErrNotExist) {
		return fail(exitUsage, "add a user first with `lethe user add`, or listen on 127.0.0.1",
			errors.New("cannot listen beyond this machine: there are no users"))
	}
	if t := s.settings.TLS; t.Cert == "" && len(t.Names) == 0 {
		return fail(exitUsage, "give --tls-cert and --tls-key, or --tls-names with the names that clients use",
			errors.New("cannot listen beyond this machine: the server's certificate is for no name that others can reach"))
	}
	return nil
}

// usersFile is where the users are.
func (s *serving) usersFile() string {
	if file := s.settings.Access.UsersFile; file != "" {
		return file
	}
	return s.dir.File(identity.FileName)
}

// openIdentities joins the users with everything that decides about them: emergencies, providers, last uses, certificates.
func (s *serving) openIdentities() error {
	a, directory := s.settings.Access, s.gateway.Directory
	grants := identity.OpenGrants(s.dir.File(identity.GrantsFile), s.dir)
	if err := directory.KeepEmergencies(grants, a.ConfirmEmergencies); err != nil {
		return err
	}
	providers, err := openProviders(a)
	if err != nil {
		return fail(exitUsage, "", err)
	}
	directory.Use(providers...)
	s.access.usage = identity.OpenUsage(s.dir.File(identity.UsageFile), s.gateway.Table)
	bounds := gateway.Bounds{UserRate: a.UserRate, TenantRate: a.TenantRate, Life: a.ConnectionLife, AllowFrom: a.AllowFrom, Usage: s.access.usage}
	if t := s.settings.TLS; t.ClientCA != "" {
		if s.access.trust, err = peer.NewTrust(t.ClientCA, t.ClientCRL, t.ClientAuth == config.ClientAuthOptional); err != nil {
			return err
		}
		bounds.Revoked = s.access.trust.Revoked
	}
	s.gateway.Bound(bounds)
	return nil
}

// listenerTLS is the TLS configuration of both listeners: certificates of clients are judged in the same way everywhere.
func (s *serving) listenerTLS() *tls.Config {
	c := s.certificate.config()
	if s.access.trust != nil {
		s.access.trust.Configure(c)
	}
	return c
}

func openProviders(a config.Access) (all []identity.Provider, err error) {
	if o := a.OIDC; o.Issuer != "" {
		roots, err := authorities(o.CA)
		if err != nil {
			return nil, err
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		p, err := oidc.New(oidc.Options{
			Issuer: o.Issuer, Audience: o.Audience, Algorithms: o.Algorithms, UserClaim: o.UserClaim, TenantsClaim: o.TenantsClaim,
			RolesClaim: o.RolesClaim, PurposeClaim: o.PurposeClaim, Tenants: o.TenantValues, Roles: o.RolesValues, Client: &http.Client{Transport: transport},
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if l := a.LDAP; l.URL != "" {
		p, err := openLDAP(l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func openLDAP(l config.LDAP) (identity.Provider, error) {
	roots, err := authorities(l.CA)
	if err != nil {
		return nil, err
	}
	o := ldapauth.Options{
		URL: l.URL, Roots: roots, UserDN: l.UserDN, SearchDN: l.SearchDN, BaseDN: l.BaseDN, Filter: l.Filter, NameAttribute: l.NameAttribute,
		GroupAttribute: l.GroupAttribute, GroupBaseDN: l.GroupBaseDN, GroupFilter: l.GroupFilter, Cache: l.Cache,
	}
	for _, g := range l.Groups {
		o.Groups = append(o.Groups, ldapauth.Group(g))
	}
	if l.SearchPasswordFile != "" {
		password, err := secret.ReadFile(l.SearchPasswordFile)
		if err != nil {
			return nil, err
		}
		o.SearchPassword = secret.New([]byte(strings.TrimRight(string(password), "\r\n")))
		clear(password)
	}
	return ldapauth.New(o)
}

// authorities reads a file of certificates; nil, the system's, for no file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot use %s: it holds no certificate", file)
	}
	return pool, nil
}

const (
	endSessionsEvery = 500 * time.Millisecond // so that with the time to close a socket it is less than a second
	saveUsageEvery   = 10 * time.Second
	reloadTrust      = 10 * time.Second
)

// lookAfterAccess ends what is over within a second, as long as the server runs.
func (s *serving) lookAfterAccess(ctx context.Context) {
	tick := time.NewTicker(endSessionsEvery)
	defer tick.Stop()
	renewing := make(chan struct{}, 1)
	var savedAt, reloadedAt time.Time
	for {
		select {
		case <-ctx.Done():
			s.saveUsage()
			return
		case <-tick.C:
		}
		// A provider that is slow must not keep connections from being ended.
		select {
		case renewing <- struct{}{}:
			go func() {
				s.gateway.Directory.RenewClaims(ctx)
				<-renewing
			}()
		default:
		}
		// What is wrong with a file that cannot be used is told by housekeeping.
		if changed, _ := s.gateway.Directory.Reload(); changed {
			s.recordConfiguration("users")
		}
		s.gateway.EndSessions()
		s.tellEmergencies()
		now := time.Now()
		if now.Sub(savedAt) >= saveUsageEvery {
			savedAt = now
			s.saveUsage()
		}
		if s.access.trust != nil && now.Sub(reloadedAt) >= reloadTrust {
			reloadedAt = now
			s.reloadTrust()
		}
	}
}

func (s *serving) saveUsage() {
	if err := s.access.usage.Save(); err != nil {
		s.log.Error("the last uses of users cannot be noted", "error", err)
	}
}

func (s *serving) reloadTrust() {
	changed, err := s.access.trust.Reload()
	if err != nil {
		s.log.Error("the authorities or revocation lists of client certificates cannot be used; the last good ones stay", "error", err)
	}
	if changed {
		s.recordConfiguration("client-certificates")
	}
}

// tellEmergencies records every change of an emergency access, and raises an alarm for it: whoever watches the log is to
// see an emergency that nobody told them of. The reason is people's words and stays in the sealed file.
func (s *serving) tellEmergencies() {
	now := time.Now()
	states := map[string]identity.State{}
	for _, g := range s.gateway.Directory.Emergencies() {
		state := g.State(now, s.settings.Access.ConfirmEmergencies)
		states[g.ID] = state
		last, known := s.access.grants[g.ID]
		if last == state || !known && (state == identity.Ended || state == identity.Closed) && s.access.grants == nil {
			continue // what was over before this process began has been told
		}
		s.log.Warn("emergency access is "+string(state), "id", g.ID, "user", g.User, "tenant", g.Tenant, "opened_by", g.OpenedBy, "ends", g.EndsAt)
		r := audit.Record{
			At: now.UnixMilli(), Action: audit.Admin, Outcome: audit.OK, Tenant: g.Tenant, Command: "BREAK-GLASS",
			Actor:  &audit.Actor{User: g.OpenedBy, Method: "command line", Purpose: identity.EmergencyPurpose},
			Detail: "emergency=" + g.ID + " user=" + g.User + " state=" + string(state),
		}
		var b audit.Batch
		b.Add(&r)
		if err := s.audit.Commit(&b); err != nil {
			s.log.Error("the audit log cannot be written; commands are refused until it can", "error", err)
			delete(states, g.ID) // it is told again
		}
	}
	s.access.grants = states
}
