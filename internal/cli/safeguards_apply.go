package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// applyFlags are those of `safeguards apply`.
type applyFlags struct {
	aws                    awsFlags
	profile, dataDir, kill string
	execute                bool
	patience               time.Duration
}

func newSafeguardsApplyCommand(env *environment, parts safeguardsParts) *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Apply a plan; without --execute, say what would happen",
		Long: `Apply a plan. Each cache is read again first and left alone if anything about it has changed since the plan, if it is
excluded, if it complies by now, or if a part of it cannot be read. Every intention, action and refusal is recorded in the
audit chain in DIR/safeguards of the data directory ("lethe audit search --data-dir DIR/safeguards").

Without --execute nothing is changed. A plan that was interrupted, or that waits for AWS or for the time to move clients to a
new token, is gone on with by applying it again; PLAN.progress says how far it is.`,
		Example: "  lethe safeguards apply plan.json\n  lethe safeguards apply plan.json --accounts accounts.yaml --execute",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return runApply(ctx, env, parts, flags, args[0])
		},
	}
	f := cmd.Flags()
	flags.aws.register(f)
	f.StringVar(&flags.profile, "profile", "", "the profile that the plan was made with (default hipaa-strict)")
	f.BoolVar(&flags.execute, "execute", false, "change what the plan says (default: a dry run)")
	f.DurationVar(&flags.patience, "patience", time.Hour, "how long to wait for AWS in one step")
	registerState(cmd, &flags.dataDir, &flags.kill)
	return cmd
}

func registerState(cmd *cobra.Command, dataDir, kill *string) {
	cmd.Flags().StringVar(dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.Flags().StringVar(kill, "kill-switch", "", "file that stops everything while it is there (default: DIR/safeguards/stop)")
}

func runApply(ctx context.Context, env *environment, parts safeguardsParts, flags applyFlags, path string) error {
	plan, err := readPlan(path)
	if err != nil {
		return err
	}
	chosen, err := chooseRules(parts, flags.profile)
	if err != nil {
		return err
	}
	estate, err := flags.aws.open(ctx, env)
	if err != nil {
		return err
	}
	x, err := estate.readExclusions()
	if err != nil {
		return fail(exitFailure, "nothing is changed while it is not known what is excluded", err)
	}
	a := &remedy.Applier{
		Sessions: estate.session, Judge: judgeOf(chosen), Exclusions: x, Settings: plan.Settings, DryRun: !flags.execute, Now: time.Now,
		Poll: 15 * time.Second, Patience: flags.patience, Progress: noProgress{}, Recorder: noRecorder{},
	}
	if flags.execute {
		state, err := openSafeguardsState(env, flags.dataDir, flags.kill)
		if err != nil {
			return err
		}
		defer state.Close()
		progress, err := remedy.OpenProgress(path + ".progress")
		if err != nil {
			return fail(exitFailure, "", err)
		}
		defer progress.Close()
		a.Recorder, a.Progress, a.Tokens, a.Kill = state, progress, state, state.stopped
		began := remedy.Event{At: time.Now(), Stage: remedy.Began, Action: "apply", Why: "planned-with:" + plan.Exclusions, Exclusions: x.Sum()}
		if err := state.Record(began); err != nil {
			return fail(exitFailure, "nothing was changed", err)
		}
	}
	return applyAll(ctx, env, a, plan)
}

// applyAll does the entries in their order and prints a line for each.
func applyAll(ctx context.Context, env *environment, a *remedy.Applier, plan *remedy.Plan) error {
	counts := map[remedy.Result]int{}
	for i := range plan.Entries {
		if err := ctx.Err(); err != nil {
			return fail(exitFailure, "apply the plan again", errors.New("interrupted"))
		}
		e := &plan.Entries[i]
		out := a.Do(ctx, e)
		counts[out.Result]++
		line := fmt.Sprintf("%s: %s: %s", e.Resource, e.Action, out.Result)
		if out.Why != "" {
			line += " (" + out.Why + ")"
		}
		if _, err := fmt.Fprintln(env.stdout, line); err != nil {
			return err
		}
	}
	if a.DryRun {
		fmt.Fprintln(env.stderr, "lethe: this was a dry run; --execute does it")
	}
	if n := counts[remedy.EntryRefused] + counts[remedy.EntryFailed]; n > 0 {
		return fail(exitFailure, "what was refused needs a new plan; what failed can be applied again",
			fmt.Errorf("%d of %s not applied", n, counted(len(plan.Entries), "action")))
	}
	return nil
}

// A dry run keeps nothing and records nothing: it does nothing.
type (
	noProgress struct{}
	noRecorder struct{}
)

func (noProgress) Load(string) (remedy.State, error) { return remedy.State{}, nil }
func (noProgress) Save(string, remedy.State) error   { return nil }
func (noRecorder) Record(remedy.Event) error         { return nil }
