package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

// userTestSet is as much of a command table as rules of these tests name.
type userTestSet []string

func (s userTestSet) Len() int                   { return len(s) }
func (s userTestSet) Name(id int) string         { return s[id] }
func (s userTestSet) Children(int) []int         { return nil }
func (s userTestSet) ID(name string) (int, bool) { i := slices.Index(s, name); return i, i >= 0 }

func (s userTestSet) InCategory(category string) ([]int, bool) {
	switch category {
	case "read":
		return []int{0}, true
	case "write":
		return []int{1}, true
	}
	return nil, false
}

// userShell runs `lethe user` command lines against one data directory.
type userShell struct {
	t    *testing.T
	dir  string
	last struct {
		stdout, stderr string
		code           int
		err            error
		hint           string
	}
}

func newUserShell(t *testing.T) *userShell {
	t.Helper()
	return &userShell{t: t, dir: filepath.Join(t.TempDir(), "data")}
}

func (s *userShell) run(stdin string, args ...string) {
	var stdout, stderr bytes.Buffer
	env := &environment{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }}
	cmd := newUserCommand(env, userTestSet{"get", "set", "keys"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(args, "--data-dir", s.dir))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err := cmd.Execute()
	s.last.stdout, s.last.stderr, s.last.err, s.last.code, s.last.hint = stdout.String(), stderr.String(), err, 0, ""
	if err != nil {
		s.last.code = exitUsage
		var f *failure
		if errors.As(err, &f) {
			s.last.code, s.last.hint = f.code, f.hint
		}
	}
}

// good wants exit code 0 and exactly this on standard output and error.
func (s *userShell) good(stdout, stderr string) {
	s.t.Helper()
	if s.last.err != nil || s.last.stdout != stdout || s.last.stderr != stderr {
		s.t.Errorf("error %v\nstdout %q\nstderr %q", s.last.err, s.last.stdout, s.last.stderr)
	}
}

// bad wants this exit code, error and hint, and nothing on standard output.
func (s *userShell) bad(code int, text, hint string) {
	s.t.Helper()
	if s.last.err == nil || s.last.code != code || !strings.Contains(s.last.err.Error(), text) || s.last.hint != hint || s.last.stdout != "" {
		s.t.Errorf("code %d, error %v\nhint %q\nstdout %q", s.last.code, s.last.err, s.last.hint, s.last.stdout)
	}
}

func (s *userShell) authenticates(name, token string) bool {
	s.t.Helper()
	d, err := identity.OpenDirectory(filepath.Join(s.dir, identity.FileName), userTestSet{"get", "set", "keys"})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = d.Authenticate(name, []byte(token))
	return err == nil
}

var generatedLine = regexp.MustCompile(`^lethe_[A-Za-z0-9_-]{47}\n$`)

func TestUserAdd(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "add", "app", "--tenants", "TENANT001,TENANT002")
	if !generatedLine.MatchString(s.last.stdout) {
		t.Fatalf("%q %v", s.last.stdout, s.last.err)
	}
	if s.last.stderr != "lethe: added the user app\nlethe: the token is printed this once; keep it where secrets are kept\n" {
		t.Error(s.last.stderr)
	}
	if !s.authenticates("app", strings.TrimSpace(s.last.stdout)) {
		t.Error("the printed token is not the user's")
	}
	s.run("correct-horse-battery\n", "add", "chosen", "--tenants", "T", "--rules", "~a:* +@read", "--token-stdin", "--expires", "2126-01-31")
	s.good("", "lethe: added the user chosen\n")
	if !s.authenticates("chosen", "correct-horse-battery") {
		t.Error("the given token is not the user's")
	}
	s.run("", "add", "app", "--tenants", "T")
	s.bad(exitFailure, "cannot add the user app: the user exists already", "`lethe user set` changes tenants and rules, `lethe user rotate` the token")
}

func TestUserAddRefuses(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	const rule = `a token is 16 to 128 printable ASCII characters without space / @ ' "`
	add := func(stdin string, more ...string) {
		s.run(stdin, append([]string{"add", "app"}, more...)...)
	}
	weak := func(token, problem string) {
		t.Helper()
		add(token, "--tenants", "T", "--token-stdin")
		s.bad(exitFailure, "cannot use the token: it "+problem, rule)
		if trimmed := strings.TrimSpace(token); trimmed != "" && strings.Contains(fmt.Sprint(s.last), trimmed) {
			t.Errorf("the token %q is shown", token)
		}
	}
	weak("", "has 0 characters, fewer than 16")
	weak("short-MARK\n", "has 10 characters, fewer than 16")
	weak("with/a/slash/MARK-1", `contains one of / @ ' "`)
	weak("with a space MARK-1", "contains a space")
	weak("two-lines-MARK-MARK\nsecond", "contains a character that is not printable ASCII")
	weak(strings.Repeat("m", 129), "has 129 characters, more than 128")
	add("", "--tenants", "T", "--rules", "+@read nopass")
	s.bad(exitFailure, "cannot use the rules: rule 2 is nopass", "leave it out, and set a token")
	add("", "--tenants", "T", "--rules", ">MARK-1234567890")
	s.bad(exitFailure, "rule 1 sets or removes a token", "give the token on standard input with --token-stdin")
	add("", "--tenants", "T", "--expires", "soon")
	s.bad(exitUsage, "--expires is neither a time to come nor a length of time", "give 90d, 12h, 2027-01-31 or 2027-01-31T15:04:05Z")
	add("", "--tenants", "T", "--expires", "2020-01-31")
	s.bad(exitFailure, "cannot use a token that has expired already", "give a time to come")
	add("", "--tenants", "")
	s.bad(exitFailure, "cannot use a user without a tenant", "name at least one; the first is where keys without a tenant belong")
	add("")
	s.bad(exitUsage, `required flag(s) "tenants" not set`, "")
	s.run("", "add", "--tenants", "T")
	s.bad(exitUsage, "accepts 1 arg(s), received 0", "")
	s.run("", "add", "a b", "--tenants", "T")
	s.bad(exitFailure, "cannot use the user name: it contains a character that names may not have", "use 1 to 64 letters, digits and . _ -, beginning with a letter or digit")
	s.run("")
	s.bad(exitUsage, "no subcommand is given", "run `lethe user --help`")
	if _, err := os.Stat(filepath.Join(s.dir, identity.FileName)); err == nil {
		t.Error("a refused user left a file")
	}
}

func TestUserChanges(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("correct-horse-battery", "add", "app", "--tenants", "T", "--token-stdin")
	s.run("", "disable", "app")
	s.good("", "lethe: disabled the user app\n")
	if s.authenticates("app", "correct-horse-battery") {
		t.Error("a disabled user is let in")
	}
	s.run("", "enable", "app")
	s.good("", "lethe: enabled the user app\n")
	s.run("", "set", "app", "--tenants", "A,B", "--rules", "~x +get")
	s.good("", "lethe: changed the user app\n")
	s.run("", "show", "app", "--json")
	if !strings.Contains(s.last.stdout, `"rules": "~x resetchannels -@all +get"`) {
		t.Error(s.last.stdout)
	}
	s.run("", "set", "app", "--rules", "")
	s.run("", "show", "app", "--json")
	if !strings.Contains(s.last.stdout, `"rules": "~* &* -@all +@read +@write"`) {
		t.Error(s.last.stdout)
	}
	s.run("", "set", "app")
	s.bad(exitUsage, "nothing to change", "give --tenants, --rules, --roles or a condition; `lethe user rotate` changes the token")
	s.run("", "remove", "app")
	s.good("", "lethe: removed the user app\n")
	for _, args := range [][]string{{"remove", "app"}, {"enable", "app"}, {"disable", "app"}, {"set", "app", "--rules", "+get"}, {"rotate", "app"}, {"rotate", "app", "--finish"}, {"show", "app"}} {
		s.run("", args...)
		s.bad(exitFailure, "there is no such user", "`lethe user list` shows the users")
	}
}

func TestUserRotate(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "add", "app", "--tenants", "T")
	first := strings.TrimSpace(s.last.stdout)
	s.run("", "rotate", "app", "--overlap", "2h", "--expires", "90d")
	second := strings.TrimSpace(s.last.stdout)
	if s.last.stderr != "lethe: gave app a new token; the old one ends in 2h0m0s at the latest\nlethe: the token is printed this once; keep it where secrets are kept\n" {
		t.Error(s.last.stderr)
	}
	if first == second || !s.authenticates("app", first) || !s.authenticates("app", second) {
		t.Error("both tokens must be valid")
	}
	s.run("", "rotate", "app")
	s.bad(exitFailure, "the token is being replaced already", "wait until the old token ends, or end it with `lethe user rotate NAME --finish`")
	s.run("", "rotate", "app", "--finish", "--overlap", "1h")
	s.bad(exitUsage, "--finish takes no other flag", "run it twice: first the new token, then --finish")
	s.run("", "rotate", "app", "--finish")
	s.good("", "lethe: ended the old token of app\n")
	if s.authenticates("app", first) || !s.authenticates("app", second) {
		t.Error("the old token must have ended")
	}
	s.run("", "rotate", "app", "--finish")
	s.bad(exitFailure, "the user has no older token", "`lethe user show NAME` shows the tokens")
	s.run("", "rotate", "app", "--overlap", "-1h")
	s.bad(exitUsage, "the overlap is negative", "give a duration such as 24h, or 0s to end the old token at once")
	s.run("correct-horse-battery\r\n", "rotate", "app", "--overlap", "0s", "--token-stdin")
	s.good("", "lethe: gave app a new token; the old one ends in 0s at the latest\n")
	if s.authenticates("app", second) || !s.authenticates("app", "correct-horse-battery") {
		t.Error("without an overlap only the new token is valid")
	}
}

func TestUserListAndShow(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "list")
	s.bad(exitFailure, "it does not exist", "give --data-dir DIR, or add a user first")
	if _, err := os.Stat(s.dir); err == nil {
		t.Error("listing made a data directory")
	}
	s.run("correct-horse-battery", "add", "b", "--tenants", "T1,T2", "--rules", "~a:* +get", "--token-stdin", "--expires", "2126-01-31")
	s.run("", "add", "a", "--tenants", "T1", "--rules", "off")
	s.run("", "list")
	s.good("NAME  STATE     TENANTS  VALID TOKENS  NEXT END              ROLES  LAST USED\n"+
		"a     disabled  T1       1             -                     -      -\n"+
		"b     enabled   T1,T2    1             2126-01-31T00:00:00Z  -      -\n", "")
	s.run("", "show", "b")
	want := regexp.MustCompile(`^name +b\nstate +enabled\ntenants +T1,T2\nrules +~a:\* resetchannels -@all \+get\ncreated +\S+Z\nlast used +not known\ntoken +chosen \S+Z, ends 2126-01-31T00:00:00Z, last used not known\n$`)
	if !want.MatchString(s.last.stdout) {
		t.Errorf("%s", s.last.stdout)
	}
	s.run("", "list", "--json")
	var users []struct {
		Name    string
		Enabled bool
		Tenants []string
		Rules   string
		Created time.Time
		Tokens  []struct {
			Created   time.Time
			Expires   *time.Time
			Generated bool
			Valid     bool
		}
	}
	if err := json.Unmarshal([]byte(s.last.stdout), &users); err != nil {
		t.Fatal(err)
	}
	if len(users) != 2 || users[0].Name != "a" || users[0].Enabled || users[1].Tokens[0].Expires == nil || !users[1].Tokens[0].Valid || !users[0].Tokens[0].Generated {
		t.Errorf("%+v", users)
	}
	if strings.Contains(s.last.stdout, "hash") || strings.Contains(s.last.stdout, "sha256") {
		t.Error("hashes are shown")
	}
}

// Command lines at the same moment must not lose each other's users, nor disagree about the directory that they all make.
func TestUserAddAtOnce(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			own := &userShell{t: t, dir: s.dir}
			own.run("", "add", fmt.Sprintf("u%d", i), "--tenants", "T")
			if own.last.err != nil {
				t.Error(own.last.err)
			}
		})
	}
	group.Wait()
	s.run("", "list")
	if lines := strings.Count(s.last.stdout, "\n"); lines != 9 {
		t.Errorf("%d lines:\n%s", lines, s.last.stdout)
	}
}

func TestUserDamagedDirectory(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "add", "app", "--tenants", "T")
	file := filepath.Join(s.dir, identity.FileName)
	if err := os.WriteFile(file, []byte("version: 1\nusers:\n  - nmae: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("", "add", "b", "--tenants", "T")
	s.bad(exitFailure, file+":3: the user has an unknown field \"nmae\" (and 6 more)", "the fields are categories, certificates, created, enabled, ends, hours, name, owner, purpose, purposes, rate, roles, rules, sources, tenants, tokens")
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.run("", "list")
	s.bad(exitFailure, "its mode 0755 lets other users in", "chmod 700 "+s.dir+", and replace the keys and tokens in it if others may have read them")
}
