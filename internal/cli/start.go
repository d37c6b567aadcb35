package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/metrics"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/server"
)

// serving is a running server: everything that start built, in the order in which it was built.
type serving struct {
	settings      *config.Config
	log           *slog.Logger
	policy        *policy.Policy
	dir           *secret.Dir
	firstUser     *identity.User
	firstToken    secret.Bytes
	certificate   *certificate
	audit         *audit.Log
	store         *engine.Store
	gateway       *gateway.Gateway
	server        *server.Server
	listener      *net.TCPListener
	adminListener net.Listener
	access        accessKeeper
	front         *front // nil: entries are in store
	consents      *consentOffice
}

// start builds all parts, in order and visibly. What it built is taken down again when a later part fails.
func start(settings *config.Config, log *slog.Logger) (_ *serving, err error) {
	s := &serving{settings: settings, log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	steps := []func() error{s.loadPolicy, s.openDirectory, s.protect, s.openCertificate, s.listen, s.openUpstream, s.openGateway, s.useUpstream, s.openIdentities, s.openConsents, s.startServer, s.joinFleet, s.addFirstUser}
	for _, step := range steps {
		if err := step(); err != nil {
			var f *failure
			if errors.As(err, &f) {
				return nil, err
			}
			return nil, fail(exitFailure, secret.Hint(err), err)
		}
	}
	return s, nil
}

// loadPolicy comes first: a policy that cannot be used leaves nothing behind.
func (s *serving) loadPolicy() (err error) {
	if s.policy, err = servedPolicy(s.settings.Policy); err != nil {
		return err
	}
	for _, w := range s.policy.Warnings() {
		s.log.Warn("policy", "line", w.Line, "problem", w.Problem, "mend", w.Mend)
	}
	if err := s.mayPersist(s.policy); err != nil {
		return err
	}
	if names := persisting(s.policy); len(names) > 0 {
		s.log.Info("entries survive a restart: their data keys are kept upstream, wrapped", "categories", strings.Join(names, ","))
	}
	return nil
}

func (s *serving) openDirectory() (err error) {
	path, err := filepath.Abs(s.settings.DataDir) // what is printed of it must hold in any directory
	if err != nil {
		return fmt.Errorf("cannot find the data directory: %w", err)
	}
	s.dir, err = secret.OpenDir(path)
	return err
}

func (s *serving) openCertificate() (err error) {
	s.certificate, err = newCertificate(s.dir, s.settings.TLS)
	return err
}

// openGateway opens the users and the audit, and joins them with the policy and the store.
func (s *serving) openGateway() error {
	p := s.policy
	table := command.NewTable()
	directory, err := identity.OpenDirectory(s.usersFile(), table)
	if err != nil {
		return err
	}
	if s.audit, err = openAuditLog(s.dir, s.settings.Audit, s.log); err != nil {
		return err
	}
	emulation, err := s.emulation(table, directory)
	if err != nil {
		return err
	}
	memory, categories := s.settings.Memory, len(p.Categories())
	if s.front != nil {
		categories = policy.MostCategories // another gateway's policy may have more
	}
	s.store = engine.New(engine.Options{MaxMemory: memory.Max, TenantQuota: memory.TenantQuota, Categories: categories})
	s.gateway = gateway.New(gateway.Parts{
		Table: table, Store: s.store, Policy: p, Directory: directory, Audit: s.audit, Log: s.log,
		Clock: s.gatewayClock(), Quotas: memory.Tenants, Categories: categories, Emulation: emulation,
		Facts: gateway.Facts{Version: Version, MaxConnections: s.settings.Limits.Connections, IdleTimeout: s.settings.Limits.IdleTimeout,
			Cluster: s.settings.Cluster == config.ClusterView, Advertise: s.settings.Advertise},
	})
	for _, u := range directory.Users() {
		for _, t := range u.Tenants {
			s.gateway.Tenant(t) // so that its metrics are there from the start
		}
	}
	s.recordConfiguration("policy=" + p.Hash())
	return nil
}

// openConsents comes before the first connection: what was revoked stays so.
func (s *serving) openConsents() (err error) {
	if s.consents, err = openConsents(s.dir, s.gateway, s.audit, s.log, s.front, gateway.SearchedCategories(s.policy)...); err == nil {
		s.gateway.Consent = s.consents.step
		s.front.obey(s.consents.store)
	}
	return err
}

func (s *serving) startServer() (err error) {
	limits := s.settings.Limits
	loops := cmp.Or(s.settings.Loops, runtime.GOMAXPROCS(0))
	spareProcessor(loops)
	s.server, err = server.New(s.gateway, s.listenerTLS(), s.log, server.Options{
		Loops: loops, MaxConnections: limits.Connections, HandshakeTimeout: limits.HandshakeTimeout,
		IdleTimeout: limits.IdleTimeout, MaxOutput: int(limits.OutputBuffer),
		MaxRequest: int(limits.Request), Balancers: s.settings.Access.ProxyFrom,
	})
	if err == nil {
		s.gateway.Server = s.server
	}
	return err
}

// spareProcessor sees to it that the Go scheduler has a processor more than there are loops. Loops wait in system calls. Where
// no processor is left over, the scheduler's monitor takes a waiting loop's away after 20 µs in case that somebody needs it,
// and looks for more every 20 µs: up to a seventh of all processor time.
func spareProcessor(loops int) {
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
}

// addFirstUser comes last: its token is shown once, so nothing that may fail can stand between.
func (s *serving) addFirstUser() (err error) {
	s.firstUser, s.firstToken, err = identity.Bootstrap(s.gateway.Directory)
	if s.firstUser != nil {
		s.gateway.Tenant(s.firstUser.Home())
	}
	return err
}

func (s *serving) listen() error {
	l, err := net.Listen("tcp", s.settings.Listen)
	if err != nil {
		return fail(exitFailure, "choose another address with --listen; port 0 takes a free one", fmt.Errorf("cannot listen for clients: %w", err))
	}
	s.listener = l.(*net.TCPListener)
	if s.adminListener, err = net.Listen("tcp", s.settings.AdminListen); err != nil {
		return fail(exitFailure, "choose another address with --admin-listen; port 0 takes a free one", fmt.Errorf("cannot listen for administrators: %w", err))
	}
	return nil
}

// run serves until ctx ends, or until a part of the server fails.
func (s *serving) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var parts sync.WaitGroup
	failed := make(chan error, 2)
	part := func(name string, f func() error) {
		parts.Go(func() {
			if err := f(); err != nil {
				failed <- fmt.Errorf("cannot go on serving %s: %w", name, err)
				stop()
			}
		})
	}
	parts.Go(func() { s.gateway.Reap(ctx) })
	parts.Go(func() { s.housekeeping(ctx) })
	parts.Go(func() { s.consents.watch(ctx) })
	parts.Go(func() { s.lookAfterAccess(ctx) })
	part("clients", func() error { return s.server.Serve(ctx, s.listener) })
	part("administrators", func() error {
		o := admin.Options{
			Registry: metrics.New(metrics.Sources{Gateway: s.gateway, Server: s.server, Audit: s.audit, Version: Version}),
			Ready:    s.notReady, Officer: newAdminDesk(s.gateway, s.log).officer, Log: s.log,
			Consents: s.consents, Audit: auditOffice{s},
		}
		if s.access.trust != nil {
			o.Revoked = s.access.trust.Revoked
		}
		return admin.Serve(ctx, s.adminListener, s.listenerTLS(), o)
	})
	parts.Wait()
	select {
	case err := <-failed:
		return fail(exitFailure, "", err)
	default:
		s.log.Info("stopping")
		return nil
	}
}

// notReady says why commands would be refused now.
func (s *serving) notReady() string {
	if !s.audit.Ready() {
		return "audit records cannot be written"
	}
	return s.front.notReady()
}

// close takes down what was built, the last part first.
func (s *serving) close() {
	if s.server != nil {
		s.server.Close()
	}
	s.front.close()
	for _, l := range []net.Listener{s.adminListener, listenerOrNil(s.listener)} {
		if l != nil {
			l.Close()
		}
	}
	if s.audit != nil {
		if err := s.audit.Close(); err != nil {
			s.log.Error("the audit log could not be closed whole", "error", err)
		}
	}
	if s.store != nil {
		s.store.Close()
	}
	s.firstToken.Clear()
}

func listenerOrNil(l *net.TCPListener) net.Listener {
	if l == nil {
		return nil
	}
	return l
}

// recordConfiguration records that a configuration was put in force.
func (s *serving) recordConfiguration(what string) {
	var b audit.Batch
	b.Add(&audit.Record{
		At: gateway.SystemClock{}.Wall(), Actor: &audit.Actor{User: "lethe", Method: "system"},
		Action: audit.Configure, Outcome: audit.OK, Detail: what,
	})
	if err := s.audit.Commit(&b); err != nil {
		s.log.Error("the audit log cannot be written; commands are refused until it can", "error", err)
	}
}

// servedPolicy reads a policy file, or returns the built-in policy for no file.
func servedPolicy(file string) (*policy.Policy, error) {
	if file == "" {
		return policy.Default(), nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fail(exitFailure, "name a file that can be read with --policy, or leave it out for the built-in policy", fmt.Errorf("cannot read the policy: %w", err))
	}
	p, mistakes := policy.Parse(src)
	if len(mistakes) == 0 {
		return p, nil
	}
	var lines []string
	for _, m := range mistakes {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s (%s)", filepath.Base(file), m.Line, m.Column, m.Problem, m.Mend))
	}
	return nil, fail(exitFailure, "run `lethe policy check FILE` for the same list", errors.New("the policy cannot be used:\n  "+strings.Join(lines, "\n  ")))
}
