package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/secret"
)

// judgeOf judges resources as a profile says.
func judgeOf(c *chosenRules) remedy.Judge {
	return func(r *model.Resource) []model.Finding { return rules.Evaluate(c.rules, c.settings, r, time.Now()) }
}

// planFlags are those of `safeguards plan`.
type planFlags struct {
	aws              awsFlags
	profile, out     string
	actions          []string
	days             int
	logGroup, kmsKey string
	window, overlap  time.Duration
}

func newSafeguardsPlanCommand(env *environment, parts safeguardsParts) *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Plan how the caches of AWS accounts are put right, for somebody to read",
		Long: `Plan how the caches of AWS accounts are put right. The plan is a JSON file: which cache, which rule, which action, how it
is undone, and a hash of the configuration that was decided on. Nothing is changed. Take out what shall not be done, and give
the rest to apply.

The default actions are the mildest that help. --action RULE=ACTION chooses another one.`,
		Example: `  lethe safeguards plan --region eu-central-1 --out plan.json
  lethe safeguards plan --accounts accounts.yaml --log-group /caches/logs --action AUTH-01=snapshot-delete --out plan.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return runPlan(ctx, env, parts, flags)
		},
	}
	f := cmd.Flags()
	flags.aws.register(f)
	f.StringVar(&flags.profile, "profile", "", "profile: seed, hipaa-strict, nprm-2025, or a YAML file of your own (default hipaa-strict)")
	f.StringVar(&flags.out, "out", "", "file for the plan (default: standard output)")
	f.StringArrayVar(&flags.actions, "action", nil, "RULE=ACTION instead of the default: modify, rotate-token, encrypted-copy, quarantine, snapshot-delete, delete-new ...")
	f.IntVar(&flags.days, "snapshot-days", 15, "days that automatic snapshots are kept where there are none (BKP-01)")
	f.StringVar(&flags.logGroup, "log-group", "", "CloudWatch log group for the slow log and the engine log (AUD-01)")
	f.StringVar(&flags.kmsKey, "kms-key", "", "KMS key for snapshots and copies")
	f.DurationVar(&flags.window, "creation-window", 0, "age under which delete-new may delete a cache, up to 24h (default: never)")
	f.DurationVar(&flags.overlap, "overlap", 24*time.Hour, "time in which both AUTH tokens are taken while clients move (AUTH-04)")
	return cmd
}

func (f *planFlags) settings() (remedy.Settings, error) {
	s := remedy.Settings{
		Actions: map[string]remedy.Action{}, SnapshotDays: f.days, LogGroup: f.logGroup, KMSKey: f.kmsKey,
		CreationWindow: f.window, Overlap: f.overlap,
	}
	for _, a := range f.actions {
		rule, action, ok := strings.Cut(a, "=")
		if !ok {
			return s, fail(exitUsage, "write --action AUTH-01=snapshot-delete", errors.New("--action has no ="))
		}
		s.Actions[rule] = remedy.Action(action)
	}
	if err := s.Complete(); err != nil {
		return s, fail(exitUsage, "", err)
	}
	return s, nil
}

func runPlan(ctx context.Context, env *environment, parts safeguardsParts, flags planFlags) error {
	settings, err := flags.settings()
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
		return fail(exitFailure, "nothing is planned while it is not known what is excluded", err)
	}
	p := remedy.Planner{Judge: judgeOf(chosen), Exclusions: x, Settings: settings, Now: time.Now}
	result, err := estate.connector.ScanCaches(ctx, estate.Targets, func(it *awsapi.Item) error {
		p.Add(it)
		return nil
	})
	if err != nil {
		return fail(exitFailure, "", err)
	}
	plan := p.Plan()
	if err := writePlan(env, flags.out, plan); err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "lethe: %s planned, %s left out; the plan says why\n", counted(len(plan.Entries), "action"), counted(len(plan.Skipped), "finding"))
	if err := problemsOf(result); err != nil {
		return fail(exitIncomplete, "what could not be read is not in the plan", err)
	}
	return nil
}

func writePlan(env *environment, path string, p *remedy.Plan) error {
	if path == "" {
		return p.Write(env.stdout)
	}
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		return err
	}
	return secret.WriteFile(path, []byte(b.String()))
}

// maxPlanBytes is more than the plan of the largest estate has.
const maxPlanBytes = 256 << 20

func readPlan(path string) (*remedy.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fail(exitUsage, "", fmt.Errorf("cannot read the plan: %w", err))
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxPlanBytes))
	if err != nil {
		return nil, fail(exitFailure, "", fmt.Errorf("cannot read the plan: %w", err))
	}
	p, err := remedy.ReadPlan(src)
	if err != nil {
		return nil, fail(exitUsage, "make it again with `lethe safeguards plan`; only whole entries may be taken out", err)
	}
	return p, nil
}
