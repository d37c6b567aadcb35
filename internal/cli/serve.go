package cli

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/server"
)

func newServeCommand(env *environment) *cobra.Command {
	var dataDir, listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serve(ctx, env, dataDir, listen)
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:6380", "")
	return cmd
}

func serve(ctx context.Context, env *environment, dataDir, listen string) error {
	if err := ensureQuietRuntime(env.getenv); err != nil {
		return fail(exitFailure, "", err)
	}
	log := slog.New(slog.NewTextHandler(env.stderr, nil))
	for _, w := range protectMemory() {
		log.Warn("memory protection is weaker than it should be", "weakness", w)
	}
	dir, err := secret.OpenDir(dataDir)
	if err != nil {
		return fail(exitFailure, secret.Hint(err), err)
	}
	cert, err := dir.ServerCertificate(nil)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	table := command.NewTable()
	directory, err := identity.OpenDirectory(filepath.Join(dataDir, "users.yaml"), table)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	if len(directory.Users()) == 0 {
		err := directory.Update(func(d *identity.Draft) error {
			token, err := d.Add(identity.NewUser{Name: "app", Tenants: []string{"TENANT001"}})
			if err == nil {
				fmt.Fprintf(env.stdout, "user app token %s\n", token.Reveal())
			}
			return err
		})
		if err != nil {
			return fail(exitFailure, "", err)
		}
	}
	signer, err := dir.Key("audit-sign", func() ([]byte, error) {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k.Seed(), err
	})
	if err != nil {
		return fail(exitFailure, "", err)
	}
	opening, err := dir.Key("audit-open", func() ([]byte, error) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		e, err := k.ECDH()
		return e.Bytes(), err
	})
	if err != nil {
		return fail(exitFailure, "", err)
	}
	openKey, err := ecdh.P256().NewPrivateKey(opening.Reveal())
	if err != nil {
		return fail(exitFailure, "", err)
	}
	trail, err := audit.Open(filepath.Join(dataDir, "audit"), audit.Options{Durability: audit.Process, Signer: ed25519.NewKeyFromSeed(signer.Reveal()), OpeningKey: openKey.PublicKey(), Logger: log})
	if err != nil {
		return fail(exitFailure, "", err)
	}
	defer trail.Close()
	p := policy.Default()
	store := engine.New(engine.Options{TenantQuota: 2 << 30, Categories: len(p.Categories())})
	defer store.Close()
	g := gateway.New(gateway.Parts{Table: table, Store: store, Policy: p, Directory: directory, Audit: trail, Log: log, Clock: gateway.SystemClock{}})
	srv, err := server.New(g, &tls.Config{Certificates: []tls.Certificate{cert}}, log, server.Options{})
	if err != nil {
		return fail(exitFailure, "", err)
	}
	g.Server = srv
	go g.Reap(ctx)
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	fmt.Fprintf(env.stdout, "ready: %s\n", l.Addr())
	err = srv.Serve(ctx, l.(*net.TCPListener))
	srv.Close()
	return err
}
