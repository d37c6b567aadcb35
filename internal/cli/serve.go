package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/config"
)

func newServeCommand(env *environment) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until it gets SIGINT or SIGTERM. With nothing configured it listens on 127.0.0.1:6380 with TLS 1.3,
makes a data directory with its own authority, certificate, keys and first user, and prints that user's token once.
A line that begins with "ready" on standard output tells that connections are taken, and where.

Settings come from flags, then the environment, then the file of --config, then the defaults; ` + "`lethe config`" + ` lists them.`,
		Example: `  lethe serve
  lethe serve --data-dir /var/lib/lethe --listen 10.0.0.5:6380 --policy /etc/lethe/policy.yaml
  lethe serve --config /etc/lethe/lethe.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := map[string]string{}
			for _, s := range config.Settings(env.getenv) {
				if f := cmd.Flags().Lookup(s.Flag); f != nil && f.Changed {
					given[s.Flag] = f.Value.String()
				}
			}
			settings, err := loadConfig(file, given, env)
			if err != nil {
				return err
			}
			return serve(env, settings)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with settings")
	for _, s := range config.Settings(env.getenv) {
		cmd.Flags().String(s.Flag, "", settingHelp(s))
	}
	return cmd
}

func settingHelp(s config.Setting) string {
	help := s.Doc
	if s.Default != "" {
		help += " (default " + s.Default + ")"
	}
	return help
}

// loadConfig reads the settings; every mistake is printed, and one is enough to stop.
func loadConfig(file string, given map[string]string, env *environment) (*config.Config, error) {
	settings, mistakes := config.Load(file, given, env.getenv)
	if len(mistakes) == 0 {
		return settings, nil
	}
	for _, m := range mistakes[:len(mistakes)-1] {
		fmt.Fprintf(env.stderr, "lethe: error: %v\nlethe: hint: %s\n", m, m.Hint())
	}
	last := mistakes[len(mistakes)-1]
	return nil, fail(exitUsage, last.Hint(), last)
}

// serve runs a server until a signal ends it.
func serve(env *environment, settings *config.Config) error {
	if err := ensureQuietRuntime(env.getenv); err != nil {
		return fail(exitFailure, "", err)
	}
	log := newLogger(env, settings.Log)
	for _, w := range protectMemory() {
		log.Warn("memory protection is weaker than it should be", "weakness", w)
	}
	signal.Ignore(syscall.SIGXFSZ) // a limit on file sizes is an error of the audit log, not the end of the process
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := start(settings, log)
	if err != nil {
		return err
	}
	defer s.close()
	s.welcome(env)
	fmt.Fprintf(env.stdout, "ready: listening on %s, admin on https://%s\n", s.listener.Addr(), s.adminListener.Addr())
	log.Info("serving", "listen", s.listener.Addr().String(), "admin", s.adminListener.Addr().String(),
		"version", Version, "policy", s.gateway.Policy().Hash(), "fips140", fipsState())
	return s.run(ctx)
}

func newLogger(env *environment, l config.Log) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.Level}
	if l.Format == config.FormatJSON {
		return slog.New(slog.NewJSONHandler(env.stderr, o))
	}
	return slog.New(slog.NewTextHandler(env.stderr, o))
}

// housekeeping looks after what changes without a command: the users file and the server's certificate.
func (s *serving) housekeeping(ctx context.Context) {
	everySecond := time.NewTicker(time.Second)
	defer everySecond.Stop()
	var complaint string
	for {
		select {
		case <-ctx.Done():
			return
		case <-everySecond.C:
		}
		s.takeNotices()
		changed, err := s.gateway.Directory.Reload()
		if changed {
			s.recordConfiguration("users")
		}
		// The same complaint is told once, not every second.
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != "" && text != complaint {
			s.log.Error("the users file cannot be used; nobody new can log in until it is mended", "error", strings.TrimSpace(text))
		}
		complaint = text
		if err := s.certificate.renew(); err != nil {
			s.log.Error("the server certificate cannot be renewed", "error", err)
		}
	}
}

// newConfigCommand is `lethe config`: the settings, their values and where these come from.
func newConfigCommand(env *environment) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "List the settings of serve, their values and where these come from",
		Example: "  lethe config\n  lethe config --config /etc/lethe/lethe.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			settings, err := loadConfig(file, nil, env)
			if err != nil {
				return err
			}
			for _, v := range settings.Values() {
				_, err = fmt.Fprintf(env.stdout, "# %s (%s)\n# --%s, %s, %s\n%s: %s\n\n", v.Doc, v.Form, v.Flag, v.Env, v.Source, v.Name, v.Value)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with settings")
	return cmd
}
