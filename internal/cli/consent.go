package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/secret"
)

// consentCommand holds what the consent commands share.
type consentCommand struct {
	env     *environment
	dataDir string
	json    bool
}

// newConsentCommand is `lethe consent`: changes are written into the sealed journal of the data directory, which a running
// server reads many times a second and confirms.
func newConsentCommand(env *environment) *cobra.Command {
	c := &consentCommand{env: env}
	cmd := &cobra.Command{
		Use:   "consent",
		Short: "Revoke and restore patients' consent, and prove what came of it",
		Long: `Revoke and restore the consent of patients. A revocation makes every entry of the patient unreadable within a second,
erases it, and refuses new ones; it holds until it is restored or has come to its end, over restarts too. After its end
nothing is stored for the patient for as long as an old value could still be on its way.

The commands work while the server runs, whose confirmation they wait for, and while it does not. Each change leaves a
signed receipt, without any names: docs/spec/receipt.md.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe consent --help`", errors.New("consent needs to be told what to do"))
		},
	}
	cmd.PersistentFlags().StringVar(&c.dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON")
	cmd.AddCommand(c.newChange(consent.Revoke), c.newChange(consent.Restore), c.newList(), c.newReceipt())
	return cmd
}

func (c *consentCommand) newChange(action consent.Action) *cobra.Command {
	var tenant, subject, reason, until string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   string(action) + " --tenant TENANT --subject SUBJECT --reason REASON",
		Short: "Withdraw a patient's consent",
		Long: `Withdraw a patient's consent in one tenant. The subject is the patient as keys and FHIR references name it, such as
12345. Other users of this machine can see the arguments of a running command: with --subject - it is read from standard
input.

The answer is the number of the change, when the server has confirmed it.`,
		Example: `  lethe consent revoke --tenant TENANT001 --subject 12345 --reason patient-request
  printf %s "$PATIENT" | lethe consent revoke --tenant TENANT001 --subject - --reason legal --until 2027-01-31`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			o := consent.Order{Action: action, Tenant: tenant, Subject: subject, Reason: consent.Reason(reason),
				By: "uid-" + strconv.Itoa(os.Getuid()), Method: "command line"}
			var err error
			if o.Until, err = parseUntil(until, time.Now()); err != nil {
				return err
			}
			if subject == "-" {
				if o.Subject, err = c.readSubject(); err != nil {
					return err
				}
			}
			return c.change(o, wait)
		},
	}
	if action == consent.Restore {
		cmd.Short, cmd.Long = "Restore a consent that was withdrawn", `End every revocation of a patient in one tenant. Entries can be read again at once, but there are none; new ones are
refused until no value from before can still be on its way.`
		cmd.Example = "  lethe consent restore --tenant TENANT001 --subject 12345 --reason patient-request"
	} else {
		cmd.Flags().StringVar(&until, "until", "", "when it ends by itself: 90d, 12h, 2027-01-31 or an RFC 3339 time (default: never)")
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant whose patient it is")
	cmd.Flags().StringVar(&subject, "subject", "", "the patient, as keys name it; - reads it from standard input")
	cmd.Flags().StringVar(&reason, "reason", "", "why: "+reasonWords())
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Second, "how long to wait for the server's confirmation")
	for _, needed := range []string{"tenant", "subject", "reason"} {
		_ = cmd.MarkFlagRequired(needed)
	}
	return cmd
}

func reasonWords() string {
	var words []string
	for _, r := range consent.Reasons() {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

// readSubject reads one line of standard input.
func (c *consentCommand) readSubject() (string, error) {
	line, err := bufio.NewReaderSize(c.env.stdin, 512).ReadSlice('\n')
	defer clear(line)
	if err != nil && len(line) == 0 {
		return "", fail(exitUsage, "give the patient on standard input", errors.New("cannot read the subject"))
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// parseUntil reads --until; a date ends with its day.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(digits, 10, 16); err == nil && days > 0 {
			return now.UTC().AddDate(0, 0, int(days)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.UTC().Add(d), nil
	}
	return time.Time{}, fail(exitUsage, "give 90d, 12h, 2027-01-31 or 2027-01-31T15:04:05Z", errors.New("--until is neither a time to come nor a length of time"))
}

// open opens the data directory; only a change makes one that is not there.
func (c *consentCommand) open(create bool) (*secret.Dir, error) {
	path := config.DataDir(c.dataDir, c.env.getenv)
	if path == "" {
		return nil, fail(exitUsage, "give --data-dir DIR", errors.New("no data directory is known: neither HOME nor XDG_STATE_HOME is set"))
	}
	if !create {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fail(exitFailure, "give --data-dir DIR", fmt.Errorf("cannot open the data directory %s: it does not exist", path))
		}
	}
	dir, err := secret.OpenDir(path)
	if err != nil {
		return nil, consentFailure(err)
	}
	return dir, nil
}

// consentFailure gives an error its exit code and the hint that belongs to it.
func consentFailure(err error) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, consent.ErrNotRevoked):
		return fail(exitFailure, "`lethe consent list` shows what is in force", err)
	case errors.Is(err, consent.ErrReason):
		return fail(exitUsage, "give one of "+reasonWords(), err)
	case errors.Is(err, consent.ErrTenant), errors.Is(err, consent.ErrSubject), errors.Is(err, consent.ErrUntil):
		return fail(exitUsage, "run `lethe consent revoke --help`", err)
	case errors.Is(err, consent.ErrJournal):
		return fail(exitFailure, "restore consents.journal from a backup; a revocation may be missing until then", err)
	case errors.Is(err, consent.ErrReceipt):
		return fail(exitFailure, "the receipt was altered, or belongs to another data directory", err)
	default:
		return fail(exitFailure, secret.Hint(err), err)
	}
}
