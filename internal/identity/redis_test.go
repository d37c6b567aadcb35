package identity_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lethe-cache/lethe/internal/identity"
)

// The expectations in testdata/acl.txt are what a real redis-server 7.0.15 answers. They are compared without one. To write
// them anew, with new rules or questions in the file, start one and run
//
//	go test ./internal/identity -run TestRulesAsRedis -redis 127.0.0.1:PORT
//
// which answers every question of the file through ACL SETUSER, ACL LIST and ACL DRYRUN, and lists the server's commands.
var redisAddress = flag.String("redis", "", "address of a redis-server that writes testdata anew")

// aclCase is one block of testdata/acl.txt:
//
//	rules ~a:* +get        what is given to ACL SETUSER after reset
//	list ~a:* ...          how ACL LIST shows it, or: refused
//	ok get a:1             ACL DRYRUN permits it
//	command set a:1 x      the command is refused; or "key", "channel": what is
type aclCase struct {
	rules string
	list  string
	asks  []ask
}

type ask struct{ outcome, command string }

const (
	commandsFile = "testdata/commands.txt"
	aclFile      = "testdata/acl.txt"
)

func readCases(t *testing.T) []*aclCase {
	t.Helper()
	text, err := os.ReadFile(aclFile)
	if err != nil {
		t.Fatal(err)
	}
	var cases []*aclCase
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch {
		case word == "" || word == "#":
		case word == "rules":
			cases = append(cases, &aclCase{rules: rest})
		case word == "list":
			cases[len(cases)-1].list = rest
		default:
			c := cases[len(cases)-1]
			c.asks = append(c.asks, ask{word, rest})
		}
	}
	return cases
}

func TestRulesAsRedis(t *testing.T) {
	if *redisAddress != "" {
		rewrite(t)
	}
	set := newCommandTable(realCommands)
	for _, c := range readCases(t) {
		p, err := identity.ParseRules(set, c.rules)
		if (err != nil) != (c.list == "refused") {
			t.Errorf("%q: error %v, redis says %q", c.rules, err, c.list)
			continue
		}
		if err != nil {
			continue
		}
		compareList(t, set, c, p)
		for _, a := range c.asks {
			if got := decide(t, set, p, strings.Fields(a.command)); got != a.outcome {
				t.Errorf("%q: %s is %s, redis says %s", c.rules, a.command, got, a.outcome)
			}
		}
	}
}

// compareList checks that the text of redis and ours mean the same. The texts differ: 7.0 derives the command rules from
// the bits, and Lethe keeps them as they were given (as 7.2 does).
func compareList(t *testing.T, set *commandTable, c *aclCase, p *identity.Permissions) {
	t.Helper()
	theirs, err := identity.ParseRules(set, c.list)
	if err != nil {
		t.Errorf("%q: cannot read redis's %q: %v", c.rules, c.list, err)
		return
	}
	ours, err := identity.ParseRules(set, p.Rules(set))
	if err != nil {
		t.Errorf("%q: cannot read our own %q: %v", c.rules, p.Rules(set), err)
		return
	}
	want := allowed(set, p.Command)
	if got := allowed(set, theirs.Command); !slices.Equal(got, want) {
		t.Errorf("%q: redis permits %v\nlethe permits %v", c.rules, got, want)
	}
	if got := allowed(set, ours.Command); !slices.Equal(got, want) {
		t.Errorf("%q: its canonical text permits %v\nitself %v", c.rules, got, want)
	}
	if keysAndChannels(c.list) != keysAndChannels(p.Rules(set)) {
		t.Errorf("%q: shown as %q, by redis as %q", c.rules, p.Rules(set), c.list)
	}
	if again := ours.Rules(set); again != p.Rules(set) {
		t.Errorf("%q: shown as %q, and after reading that as %q", c.rules, p.Rules(set), again)
	}
}

// keysAndChannels drops the command rules from a rule text.
func keysAndChannels(rules string) string {
	var kept []string
	for word := range strings.FieldsSeq(rules) {
		switch trimmed := strings.TrimSuffix(word, ")"); {
		case !strings.ContainsRune("+-", rune(trimmed[0])):
			kept = append(kept, word)
		case trimmed != word:
			kept = append(kept, ")")
		}
	}
	return strings.Join(kept, " ")
}

// decide asks the way a gateway does.
func decide(t *testing.T, set *commandTable, p *identity.Permissions, args []string) string {
	t.Helper()
	keys := map[string]identity.Access{
		"get": identity.Read, "set": identity.Write, "getset": identity.Read | identity.Write, "exists": 0, "strlen": 0,
	}
	id, ok := set.ID(args[0])
	if !ok {
		t.Fatalf("no command %q", args[0])
	}
	paths := p.Paths(id)
	if paths == 0 {
		return "command"
	}
	need, hasKey := keys[args[0]]
	switch {
	case hasKey && p.WithKey(paths, []byte(args[1]), need) == 0:
		return "key"
	case args[0] == "publish" && p.WithChannel(paths, []byte(args[1])) == 0,
		args[0] == "psubscribe" && p.WithChannelPattern(paths, []byte(args[1])) == 0:
		return "channel"
	}
	return "ok"
}

// rewrite asks the real server.
func rewrite(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	client := redis.NewClient(&redis.Options{Addr: *redisAddress, Protocol: 2})
	defer client.Close()
	writeCommands(ctx, t, client)
	var out strings.Builder
	out.WriteString("# What redis-server 7.0.15 answers; see redis_test.go.\n")
	for _, c := range readCases(t) {
		fmt.Fprintf(&out, "\nrules %s\n", c.rules)
		words := []any{"ACL", "SETUSER", "lethe-test", "reset"}
		for word := range strings.FieldsSeq(c.rules) {
			words = append(words, word)
		}
		if err := client.Do(ctx, words...).Err(); err != nil {
			out.WriteString("list refused\n")
			continue
		}
		fmt.Fprintf(&out, "list %s\n", listed(ctx, t, client))
		for _, a := range c.asks {
			fmt.Fprintf(&out, "%s %s\n", dryRun(ctx, t, client, a.command), a.command)
		}
	}
	if err := os.WriteFile(aclFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func listed(ctx context.Context, t *testing.T, client *redis.Client) string {
	t.Helper()
	lines, err := client.Do(ctx, "ACL", "LIST").StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "user lethe-test "); ok {
			_, rules, _ := strings.Cut(rest, "sanitize-payload ")
			return rules
		}
	}
	t.Fatal("the user is not listed")
	return ""
}

func dryRun(ctx context.Context, t *testing.T, client *redis.Client, command string) string {
	t.Helper()
	words := []any{"ACL", "DRYRUN", "lethe-test"}
	for word := range strings.FieldsSeq(command) {
		words = append(words, word)
	}
	reply, err := client.Do(ctx, words...).Text()
	switch {
	case err != nil:
		t.Fatalf("%s: %v", command, err)
	case reply == "OK":
		return "ok"
	case strings.Contains(reply, "to run the"):
		return "command"
	case strings.Contains(reply, "channel"):
		return "channel"
	case strings.Contains(reply, "key"):
		return "key"
	}
	t.Fatalf("%s: %q", command, reply)
	return ""
}

func writeCommands(ctx context.Context, t *testing.T, client *redis.Client) {
	t.Helper()
	reply, err := client.Do(ctx, "COMMAND").Slice()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var gather func(commands []any)
	gather = func(commands []any) {
		for _, c := range commands {
			fields := c.([]any)
			var categories []string
			for _, category := range fields[6].([]any) {
				categories = append(categories, strings.TrimPrefix(category.(string), "@"))
			}
			lines = append(lines, fields[0].(string)+" "+strings.Join(categories, ","))
			gather(fields[9].([]any))
		}
	}
	gather(reply)
	slices.Sort(lines)
	if err := os.WriteFile(commandsFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
