package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/watch"
)

// watchFlags are those of `safeguards watch`.
type watchFlags struct {
	aws                           awsFlags
	profile, dataDir, kill, queue string
	execute, once                 bool
	every, listen, patience       time.Duration
	settings                      watch.Settings
}

func newSafeguardsWatchCommand(env *environment, parts safeguardsParts) *cobra.Command {
	var flags watchFlags
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch AWS accounts and enforce the rules that no cache may fail; without --execute, say what would happen",
		Long: `Watch AWS accounts and enforce the rules that no cache may fail. A cache that fails has its time of grace; then its
security groups are replaced by one that lets nothing in; with --delete, and after --hold, it is deleted, with a snapshot.

Nothing is touched whose tags or configuration cannot be read, that an exclusion names, or that the budget of the run and of
the day has no room for. Times of grace are kept on disk and begin once. Every action and refusal is recorded in the audit
chain in DIR/safeguards of the data directory. The file --kill-switch stops everything while it is there.

Without --execute nothing is changed, and a state of its own is kept: grace begins anew with the first --execute.`,
		Example: `  lethe safeguards watch --region eu-central-1 --once
  lethe safeguards watch --accounts accounts.yaml --execute --grace 72h --max-per-run 2 --max-percent-per-day 1
  lethe safeguards watch --accounts accounts.yaml --execute --delete --queue https://sqs.eu-central-1.amazonaws.com/111111111111/lethe-events`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return runWatch(ctx, env, parts, flags)
		},
	}
	flags.register(cmd)
	return cmd
}

func (flags *watchFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	flags.aws.register(f)
	s := &flags.settings
	f.StringVar(&flags.profile, "profile", "", "profile: seed, hipaa-strict, nprm-2025, or a YAML file of your own (default hipaa-strict)")
	f.BoolVar(&flags.execute, "execute", false, "change what is due (default: a dry run)")
	f.BoolVar(&flags.once, "once", false, "look once and end")
	f.DurationVar(&flags.every, "every", time.Hour, "time between whole looks")
	f.DurationVar(&flags.listen, "listen", time.Minute, "time between looks at events and messages")
	f.DurationVar(&flags.patience, "patience", 30*time.Minute, "how long to wait for AWS in one step")
	f.StringVar(&flags.queue, "queue", "", "URL of an SQS queue with EventBridge's messages about ElastiCache")
	f.StringSliceVar(&s.Rules, "rules", nil, "rules to enforce (default: "+strings.Join(watch.Enforceable(), ",")+")")
	f.DurationVar(&s.Grace, "grace", 72*time.Hour, "from first sight of a failure until quarantine, at least 1h")
	f.BoolVar(&s.Delete, "delete", false, "delete what stays in quarantine, with a snapshot")
	f.DurationVar(&s.Hold, "hold", 7*24*time.Hour, "from quarantine until deletion, at least 24h")
	f.DurationVar(&s.NewWithin, "delete-new-within", 0, "delete failing caches younger than this at once and without a snapshot (default: never)")
	f.IntVar(&s.Budget.PerRun, "max-per-run", 3, "caches touched in a run at most")
	f.IntVar(&s.Budget.PerDay, "max-per-day", 10, "caches touched in 24 hours at most")
	f.Float64Var(&s.Budget.PercentPerRun, "max-percent-per-run", 2, "percent of all caches touched in a run at most")
	f.Float64Var(&s.Budget.PercentPerDay, "max-percent-per-day", 5, "percent of all caches touched in 24 hours at most")
	f.StringVar(&s.KMSKey, "kms-key", "", "KMS key for snapshots")
	registerState(cmd, &flags.dataDir, &flags.kill)
}

func runWatch(ctx context.Context, env *environment, parts safeguardsParts, flags watchFlags) error {
	if b := flags.settings.Budget; b.PerRun == 0 || b.PerDay == 0 || b.PercentPerRun == 0 || b.PercentPerDay == 0 ||
		flags.settings.Grace == 0 || flags.settings.Hold == 0 {
		return fail(exitUsage, "leave out --execute to touch nothing", errors.New("a time of grace or a budget is zero"))
	}
	if err := flags.settings.Complete(); err != nil {
		return fail(exitUsage, "", err)
	}
	if flags.every < time.Minute || flags.listen < time.Second || flags.listen > flags.every {
		return fail(exitUsage, "", errors.New("--every is under 1m, or --listen is not within 1s and --every"))
	}
	chosen, err := chooseRules(parts, flags.profile)
	if err != nil {
		return err
	}
	estate, err := flags.aws.open(ctx, env)
	if err != nil {
		return err
	}
	state, err := openSafeguardsState(env, flags.dataDir, flags.kill)
	if err != nil {
		return err
	}
	defer state.Close()
	name := "watch.json"
	if !flags.execute {
		name = "watch-dry-run.json"
	}
	store, err := watch.OpenStore(state.dir.File(name))
	if err != nil {
		return fail(exitFailure, "restore the file from a backup; without it begun times of grace and spent budgets are not known", err)
	}
	w := &watch.Watcher{
		Connector: estate.connector, Targets: estate.Targets, Settings: flags.settings, Judge: judgeOf(chosen), Exclusions: estate.readExclusions,
		Store: store, Recorder: state, Kill: state.stopped, DryRun: !flags.execute, Say: sayTo(env), Now: time.Now,
		Poll: 15 * time.Second, Patience: flags.patience,
	}
	if w.Queue, err = openQueue(ctx, estate, flags.queue); err != nil {
		return err
	}
	return watchWith(ctx, w, flags, func(r awsapi.Result) {
		fmt.Fprintf(env.stderr, "lethe: looked at %s\n", counted(r.Items, "cache"))
		for _, p := range r.Problems {
			fmt.Fprintf(env.stderr, "lethe: warning: %s\n", p)
		}
	})
}

func watchWith(ctx context.Context, w *watch.Watcher, flags watchFlags, done func(awsapi.Result)) error {
	if !flags.once {
		err := w.Forever(ctx, flags.every, flags.listen, done)
		if ctx.Err() != nil {
			return nil // asked to end
		}
		return fail(exitFailure, "nothing is enforced until watch runs again", err)
	}
	result, err := w.Run(ctx)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	done(result)
	if len(result.Problems) > 0 {
		return fail(exitIncomplete, "what could not be read was not touched", errors.New("a part of the accounts could not be read"))
	}
	return nil
}

// sayTo prints a line for each decision.
func sayTo(env *environment) func(watch.Report) {
	return func(r watch.Report) {
		line := fmt.Sprintf("%s: fails %s: ", r.Resource, strings.Join(r.Rules, ", "))
		if r.Action != "" {
			line += string(r.Action) + ": "
		}
		line += r.Result
		if r.Why != "" {
			line += " (" + r.Why + ")"
		}
		if r.Result == "waits" && !r.DueAt.IsZero() {
			line += " until " + r.DueAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintln(env.stdout, line)
	}
}

// openQueue enters the account that has the queue, which the URL names.
func openQueue(ctx context.Context, estate *awsEstate, text string) (*watch.Queue, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fail(exitUsage, "", errors.New("--queue is not a URL"))
	}
	host := regexp.MustCompile(`^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`).FindStringSubmatch(u.Host)
	words := strings.Split(u.Path, "/")
	if u.Scheme != "https" || host == nil || len(words) != 3 {
		return nil, fail(exitUsage, "write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME", errors.New("--queue is not the URL of a queue"))
	}
	known := slices.ContainsFunc(estate.Targets, func(t awsapi.Target) bool { return t.Account == words[1] || t.Account == "" })
	if !known {
		return nil, fail(exitUsage, "", errors.New("the queue is in an account that is not one of those that were named"))
	}
	s, err := estate.session(ctx, words[1], host[1])
	if err != nil {
		return nil, fail(exitFailure, "", err)
	}
	return &watch.Queue{Session: s, URL: text}, nil
}
