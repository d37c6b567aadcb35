package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/migrate"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// migrateFlags are what `lethe migrate` is told.
type migrateFlags struct {
	from, to        string
	source, target  config.Upstream
	policy          string
	apply, keep     bool
	home, json      bool
	rate            int
	state, progress string
	database        int
}

func newMigrateCommand(env *environment) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "migrate --from URL --policy FILE [--to HOST:PORT]",
		Short: "Copy a live Redis or Valkey through the policy into a running Lethe; first tell what would become of it",
		Long: `Copy the entries of a live Redis or Valkey through the policy into a running Lethe.

Without --apply nothing is written anywhere: the keys are counted by category, with what would be clamped to its ceiling,
refused, or left behind because its name says no tenant. No key is named. With --to, the Lethe is asked as well whether
the user reaches each key.

With --apply the entries are copied, as any client writes them: over TLS, with a user's token, within the user's tenants,
with a record for each. What is copied gets the deadline that it has, and never more than its category allows. A run that
was interrupted goes on where it was; one that is repeated copies what the source has then, in place of what is there.

The exit code is 1 where keys stay behind.`,
		Example: `  lethe migrate --from redis://127.0.0.1:6379 --policy policy.yaml
  lethe migrate --from rediss://redis.example.org:6379 --from-ca redis-ca.pem --from-user migrator --from-token-file redis.token \
      --policy policy.yaml --to localhost:6380 --ca ca.pem --user app --token-file app.token --apply --rate 2000
  lethe migrate --from rediss://a:6379,b:6379 --from-mode cluster --from-ca redis-ca.pem --policy policy.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runMigrate(env, &f) },
	}
	f.addTo(cmd)
	return cmd
}

func (f *migrateFlags) addTo(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.from, "from", "", "the source: redis://HOST:PORT/DATABASE on this machine, unix:///PATH, or rediss:// with TLS; more of HOST:PORT with commas")
	s.StringVar(&f.source.Mode, "from-mode", config.UpstreamStandalone, "how the source is put together: standalone, sentinel or cluster")
	s.StringVar(&f.source.Master, "from-master", "", "the primary's name among the sentinels")
	s.StringVar(&f.source.User, "from-user", "", "the source's user; none is its default user")
	s.StringVar(&f.source.TokenFile, "from-token-file", "", "the file with that user's password")
	s.StringVar(&f.source.TLS, "from-tls", config.UpstreamTLS13, "the least version of TLS to a rediss:// source: 1.3 or 1.2")
	s.StringVar(&f.source.CA, "from-ca", "", "the authorities for the source's certificate, PEM (default: the system's)")
	s.StringVar(&f.source.Cert, "from-cert", "", "a client certificate for the source, PEM")
	s.StringVar(&f.source.Key, "from-key", "", "the key of --from-cert, PEM")
	s.StringVar(&f.policy, "policy", "", "the Lethe's policy file (default: the built-in policy)")
	s.StringVar(&f.to, "to", "", "the Lethe, HOST:PORT; needed for --apply")
	s.StringVar(&f.target.User, "user", "", "the Lethe's user who writes")
	s.StringVar(&f.target.TokenFile, "token-file", "", "the file with that user's token")
	s.StringVar(&f.target.CA, "ca", "", "the authorities for the Lethe's certificate, PEM: ca.pem of its data directory (default: the system's)")
	s.BoolVar(&f.apply, "apply", false, "copy; otherwise only tell")
	s.BoolVar(&f.keep, "keep-existing", false, "leave entries as they are that the Lethe has already")
	s.BoolVar(&f.home, "home-tenant", false, "copy keys whose names say no tenant too, as those of the user's first tenant")
	s.IntVar(&f.rate, "rate", 0, "keys a second, at most; 0 is no limit")
	s.StringVar(&f.state, "state", "lethe-migrate.json", "the file from which an interrupted run goes on; removed at the end")
	s.StringVar(&f.progress, "progress", "auto", "a progress bar on standard error: auto (on a terminal), on or off")
	s.BoolVar(&f.json, "json", false, "print the report as JSON")
}

func runMigrate(env *environment, f *migrateFlags) error {
	if err := f.resolve(); err != nil {
		return fail(exitUsage, "see `lethe migrate --help` for examples", err)
	}
	p, err := loadPolicy(env, f.policy)
	if err != nil {
		return err
	}
	for _, w := range protectMemory() {
		fmt.Fprintf(env.stderr, "lethe: note: %s\n", w)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o := migrate.Options{Policy: p, Apply: f.apply, Keep: f.keep, Home: f.home, Rate: f.rate, StateFile: f.state}
	if o.Source, err = reach(ctx, &f.source, f.database); err != nil {
		return fail(exitFailure, "look at --from and its flags", fmt.Errorf("cannot use the source: %w", err))
	}
	if f.to != "" {
		if o.Target, err = reach(ctx, &f.target, 0); err != nil {
			return fail(exitFailure, "look at --to, --ca, --user and --token-file", fmt.Errorf("cannot use the target: %w", err))
		}
	}
	o.Job = f.job(p.Hash())
	bar := newProgressBar(env.stderr, f.progress)
	o.Progress = bar.show
	report, err := migrate.Run(ctx, o)
	bar.end()
	return f.conclude(env, report, err)
}

// reach opens the way to a server and tries it.
func reach(ctx context.Context, u *config.Upstream, database int) (*upstream.Upstream, error) {
	o, err := upstreamOptions(u)
	if err != nil {
		return nil, err
	}
	o.Database, o.InClear, o.Timeout, o.MaxReplyBytes = database, true, 30*time.Second, 640<<20
	up, err := upstream.New(o)
	if err != nil {
		return nil, err
	}
	return up, up.Check(ctx)
}

// job is a digest of what must be the same for a run to go on from another.
func (f *migrateFlags) job(policyHash string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%s\n%s\n%t %t", strings.Join(f.source.Addresses, ","), f.database, f.source.Master,
		strings.Join(f.target.Addresses, ","), f.target.User, policyHash, f.keep, f.home)
	return hex.EncodeToString(h.Sum(nil))
}

// conclude prints the report, and says by the exit code whether all is well.
func (f *migrateFlags) conclude(env *environment, r *migrate.Report, err error) error {
	if err == nil || r.Keys > 0 {
		if f.json {
			e := json.NewEncoder(env.stdout)
			e.SetIndent("", "  ")
			if err := e.Encode(r); err != nil {
				return err
			}
		} else if err := writeMigrateReport(env.stdout, r); err != nil {
			return err
		}
	}
	again := "run the same command again: it goes on where this run was"
	if !f.apply {
		again = "run the command again"
	}
	switch {
	case errors.Is(err, migrate.ErrOtherJob):
		return fail(exitFailure, "name another file by --state, or remove it to begin anew", err)
	case errors.Is(err, migrate.ErrNotLethe):
		return fail(exitFailure, "only a Lethe makes PHI end; for other data use another tool", err)
	case errors.Is(err, context.Canceled):
		return fail(exitFailure, again, errors.New("interrupted"))
	case err != nil:
		return fail(exitFailure, again, err)
	}
	if left := r.Left(); left > 0 {
		verb := "stay"
		if left == 1 {
			verb = "stays"
		}
		return fail(exitFailure, "docs/migrate.md says for each reason what can be done", fmt.Errorf("%s %s behind", counted(int(left), "key"), verb))
	}
	return nil
}
