package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
)

// openAudit gives the key that opens the audit log of a data directory, which only the directory's wrapping key unseals.
type openAudit func(dataDir string) (audit.Opener, error)

// revealRecorder is an audit.Opener that can also have it recorded that names were read with it.
type revealRecorder interface {
	RecordReveal(detail string) error
}

// auditCommand holds what the audit commands share.
type auditCommand struct {
	env        *environment
	open       openAudit
	dataDir    string
	openingKey string
	json       bool
	reveal     bool
}

// newAuditCommand is `lethe audit`: everything that one does with a log besides writing it. No part of it changes a log.
func newAuditCommand(env *environment, open openAudit) *cobra.Command {
	a := &auditCommand{env: env, open: open}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Verify, search and follow the audit log",
		Long: "Verify, search and follow the audit log in DIR/audit. All of it may be done while the server runs.\n" +
			"Key names and patients are shown as pseudonyms unless --reveal asks for them.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe audit --help`", errors.New("audit needs to be told what to do"))
		},
	}
	cmd.PersistentFlags().StringVar(&a.dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.AddCommand(a.newVerify(), a.newSearch(), a.newTail(), a.newCheckpoint(), a.newOpeningKey())
	return cmd
}

// dir is the log's directory; it settles the data directory too.
func (a *auditCommand) dir() (string, error) {
	if a.dataDir = config.DataDir(a.dataDir, a.env.getenv); a.dataDir == "" {
		return "", fail(exitUsage, "give --data-dir DIR", errors.New("no data directory is known"))
	}
	return filepath.Join(a.dataDir, "audit"), nil
}

func (a *auditCommand) newVerify() *cobra.Command {
	var checkpointFile, publicKeyFile string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that no record was changed, removed, reordered or cut off",
		Long: "Prove that no record was changed, removed, reordered or cut off. It needs no key.\n" +
			"Without a checkpoint that was kept elsewhere nobody can tell a log from a whole, older copy of it.",
		Example: "  lethe audit verify --data-dir /var/lib/lethe\n" +
			"  lethe audit verify --data-dir /var/lib/lethe --checkpoint kept.txt --public-key kept.pub --json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.verify(checkpointFile, publicKeyFile) },
	}
	cmd.Flags().StringVar(&checkpointFile, "checkpoint", "", "a signed checkpoint kept elsewhere, which the log must contain")
	cmd.Flags().StringVar(&publicKeyFile, "public-key", "", "an audit.pub kept elsewhere, instead of the one beside the log")
	cmd.Flags().BoolVar(&a.json, "json", false, "print as JSON")
	return cmd
}

func (a *auditCommand) verify(checkpointFile, publicKeyFile string) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	var o audit.VerifyOptions
	if checkpointFile != "" {
		if o.Checkpoint, err = os.ReadFile(checkpointFile); err != nil {
			return fail(exitUsage, "", fmt.Errorf("cannot read the checkpoint: %w", err))
		}
	}
	if publicKeyFile != "" {
		keys, err := os.ReadFile(publicKeyFile)
		if err != nil {
			return fail(exitUsage, "", fmt.Errorf("cannot read the public keys: %w", err))
		}
		o.PublicKeys = string(keys)
	}
	report, err := audit.Verify(dir, o)
	if err != nil {
		return auditFailure(err)
	}
	if err := a.printReport(report); err != nil {
		return err
	}
	if !report.OK() {
		return fail(exitFailure, "keep a copy of the directory before anything else is done with it",
			fmt.Errorf("the audit log is not whole: findings: %d", len(report.Findings)))
	}
	return nil
}

func (a *auditCommand) printReport(r *audit.Report) error {
	if a.json {
		return json.NewEncoder(a.env.stdout).Encode(struct {
			OK bool `json:"ok"`
			*audit.Report
		}{r.OK(), r})
	}
	var out strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "%v\n", f)
	}
	word := "ok"
	if !r.OK() {
		word = "not whole"
	}
	fmt.Fprintf(&out, "%s: %d records in %d segments, sequence %d to %d\n", word, r.Records, r.Segments, r.FirstSequence,
		r.LastSequence)
	if r.Checkpoints > 0 {
		fmt.Fprintf(&out, "last checkpoint: %s, %d records after it are not signed yet\n",
			r.LastCheckpoint.Format(time.RFC3339), r.Unsigned)
	} else {
		fmt.Fprintln(&out, "last checkpoint: none, no record is signed yet")
	}
	if r.Checkpoint != nil && *r.Checkpoint {
		fmt.Fprintln(&out, "the log extends the given checkpoint")
	}
	if r.TornBytes > 0 {
		fmt.Fprintf(&out, "a frame of %d bytes was cut short by a crash; it was never acknowledged\n", r.TornBytes)
	}
	_, err := io.WriteString(a.env.stdout, out.String())
	return err
}

// addReading adds the flags of the commands that open records.
func (a *auditCommand) addReading(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.openingKey, "opening-key", "", "PEM file with the opening key, instead of the data directory's")
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&a.reveal, "reveal", false, "show key names and patients; this is itself recorded where it can be")
}

func (a *auditCommand) newSearch() *cobra.Command {
	var words searchWords
	var remote auditRemote
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Find records",
		Long: "Find records in the log of the data directory, or with --server in that of a running server, as a user with the\n" +
			"role auditor: its token is read from standard input, and it sees its own tenants, under pseudonyms.",
		Example: "  lethe audit search --data-dir /var/lib/lethe --user ward-3 --since 1h\n" +
			"  lethe audit search --data-dir /var/lib/lethe --tenant TENANT001 --subject 12345 --action read --json\n" +
			"  printf %s \"$TOKEN\" | lethe audit search --server https://lethe.example.org:9380 --ca ca.pem --as jane --since 1h",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if remote.server != "" {
				return a.searchRemotely(&remote, &words)
			}
			q, err := words.query(time.Now())
			if err != nil {
				return err
			}
			return a.read("search", func(dir string, o audit.Opener, show func(*audit.Event) error) error {
				return audit.Search(dir, o, q, show)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&words.q.User, "user", "", "who acted")
	flags.StringVar(&words.q.Tenant, "tenant", "", "for which tenant")
	flags.StringVar(&words.q.Subject, "subject", "", "about which patient: the identifier, or its pseudonym")
	flags.StringVar(&words.q.Category, "category", "", "category of the entry")
	flags.StringVar(&words.action, "action", "", "read, write, delete, expire, evict, authenticate ...")
	flags.StringVar(&words.outcome, "outcome", "", "hit, miss, stored, clamped, expired, denied, refused ...")
	flags.StringVar(&words.since, "since", "", "from this time on: RFC 3339, or how long ago, such as 90m")
	flags.StringVar(&words.until, "until", "", "before this time: RFC 3339, or how long ago")
	flags.IntVar(&words.q.Limit, "limit", 0, "at most so many records, the oldest first; 0 for all")
	flags.StringVar(&remote.server, "server", "", "address of a running server's admin API, such as https://HOST:9380")
	flags.StringVar(&remote.as, "as", "", "with --server, the user who asks")
	flags.StringVar(&remote.ca, "ca", "", "with --server, a PEM file of authorities that its certificate may be from (default: the system's)")
	a.addReading(cmd)
	return cmd
}

// searchWords are the flags of search before they are understood.
type searchWords struct {
	q                             audit.Query
	action, outcome, since, until string
}

func (w *searchWords) query(now time.Time) (audit.Query, error) {
	q, known := w.q, true
	if w.action != "" {
		if q.Action, known = audit.ParseAction(w.action); !known {
			return q, fail(exitUsage, "see docs/spec/audit.md, section 5, for the words", errors.New("unknown action"))
		}
	}
	if w.outcome != "" {
		if q.Outcome, known = audit.ParseOutcome(w.outcome); !known {
			return q, fail(exitUsage, "see docs/spec/audit.md, section 5, for the words", errors.New("unknown outcome"))
		}
	}
	if q.Limit < 0 {
		return q, fail(exitUsage, "", errors.New("--limit is negative"))
	}
	var err error
	if q.Since, err = parseInstant("since", w.since, now); err != nil {
		return q, err
	}
	q.Until, err = parseInstant("until", w.until, now)
	return q, err
}

// parseInstant reads an RFC 3339 time, or a length of time before now; empty is the zero time.
func parseInstant(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fail(exitUsage, "write 2026-01-31T08:00:00Z, or how long ago: 90m, 24h",
		fmt.Errorf("--%s is neither a time nor a length of time", flag))
}

func (a *auditCommand) newTail() *cobra.Command {
	var follow bool
	var n int
	cmd := &cobra.Command{
		Use:     "tail",
		Short:   "Show the newest records, and with -f those to come",
		Example: "  lethe audit tail --data-dir /var/lib/lethe -n 20 -f",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n < 0 {
				return fail(exitUsage, "", errors.New("-n is negative"))
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.read("tail", func(dir string, o audit.Opener, show func(*audit.Event) error) error {
				next, err := audit.Last(dir, o, n, show)
				if err != nil || !follow {
					return err
				}
				return audit.Follow(ctx, dir, o, next, show)
			})
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new records until interrupted")
	cmd.Flags().IntVarP(&n, "lines", "n", 10, "how many of the newest records to show")
	a.addReading(cmd)
	return cmd
}

// read opens the log, runs find and prints what it shows.
func (a *auditCommand) read(what string, find func(string, audit.Opener, func(*audit.Event) error) error) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	opener, err := a.opener()
	if err != nil {
		return err
	}
	names, err := audit.NewPseudonyms(opener)
	if err != nil {
		return auditFailure(err)
	}
	if a.reveal {
		a.recordReveal(opener, what)
	}
	show := a.printer(names)
	return auditFailure(find(dir, opener, show))
}

// opener gives the opening key from the file that was named, or from the data directory.
func (a *auditCommand) opener() (audit.Opener, error) {
	if a.openingKey == "" {
		o, err := a.open(a.dataDir)
		if err != nil {
			return nil, fail(exitFailure, "give the file where the key is kept with --opening-key FILE; `lethe audit verify` needs no key", err)
		}
		return o, nil
	}
	text, err := os.ReadFile(a.openingKey)
	if err != nil {
		return nil, fail(exitUsage, "", fmt.Errorf("cannot read the opening key: %w", err))
	}
	defer clear(text)
	key, err := audit.ParseOpeningKey(text)
	if err != nil {
		return nil, fail(exitUsage, "give the P-256 private key as PKCS #8 PEM", err)
	}
	return audit.NewOpener(key)
}

// recordReveal has the use of names recorded before any is shown. A log that cannot be written, or is not this machine's,
// must still be readable by whoever investigates why: then the person is told that there is no record.
func (a *auditCommand) recordReveal(o audit.Opener, what string) {
	err := errors.New("the opening key is not used through the data directory")
	if r, ok := o.(revealRecorder); ok {
		err = r.RecordReveal(what)
	}
	if err != nil {
		fmt.Fprintf(a.env.stderr, "lethe: warning: showing names without a record of it: %v\n", err)
	}
}

// printer prints events as a table that needs no second pass, or as JSON lines.
func (a *auditCommand) printer(names *audit.Pseudonyms) func(*audit.Event) error {
	if a.json {
		lines := json.NewEncoder(a.env.stdout)
		lines.SetEscapeHTML(false)
		return func(e *audit.Event) error { return lines.Encode(e.View(names, a.reveal)) }
	}
	show := a.viewPrinter()
	return func(e *audit.Event) error { return show(e.View(names, a.reveal)) }
}

// viewPrinter prints what is shown of events, as a table that needs no second pass.
func (a *auditCommand) viewPrinter() func(audit.View) error {
	const row = "%-9s %-24s %-14s %-12s %-10s %-10s %-13s %-9s %-32s %-32s %s\n"
	headed := false
	return func(v audit.View) error {
		if !headed {
			headed = true
			fmt.Fprintf(a.env.stdout, row, "SEQUENCE", "TIME", "USER", "TENANT", "CATEGORY", "COMMAND", "ACTION", "OUTCOME",
				"ENTRY", "SUBJECT", "DETAIL")
		}
		entry, subject := v.Entry, v.Subject
		if a.reveal {
			entry, subject = v.KeyName, v.SubjectName
		}
		_, err := fmt.Fprintf(a.env.stdout, row, strconv.FormatUint(v.Sequence, 10), v.Time, cell(v.User), cell(v.Tenant),
			cell(v.Category), cell(v.Command), v.Action, v.Outcome, cell(entry), cell(subject), cell(v.Detail))
		return err
	}
}

// cell is text for one column: a dash for nothing, quoted when it could fool the terminal or the reader.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	if quoted := strconv.QuoteToASCII(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

func (a *auditCommand) newCheckpoint() *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed checkpoint, to be kept where the log is not",
		Long: "Print the newest signed checkpoint. Kept on another machine, it proves later that the log was not\n" +
			"replaced by an older copy: `lethe audit verify --checkpoint FILE`.",
		Example: "  lethe audit checkpoint --data-dir /var/lib/lethe > checkpoint.txt",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.dir()
			if err != nil {
				return err
			}
			signed, err := audit.NewestCheckpoint(dir)
			if err != nil {
				return auditFailure(err)
			}
			_, err = a.env.stdout.Write(signed)
			return err
		},
	}
}

// auditFailure gives an error of package audit its exit code and, where there is one, its hint.
func auditFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, audit.ErrNoLog):
		return fail(exitFailure, "the log is in DIR/audit of the server's --data-dir DIR; a new log has no checkpoint for a second", err)
	case errors.Is(err, audit.ErrDamaged):
		return fail(exitFailure, "run `lethe audit verify`", err)
	}
	return fail(exitFailure, "", err)
}
