package identity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

func parse(t *testing.T, set identity.CommandSet, rules string) *identity.Permissions {
	t.Helper()
	p, err := identity.ParseRules(set, rules)
	if err != nil {
		t.Fatalf("%q: %v", rules, err)
	}
	return p
}

func TestRulesCanonical(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	f := func(rules, want string) {
		t.Helper()
		if got := parse(t, set, rules).Rules(set); got != want {
			t.Errorf("%q is shown as %q, not %q", rules, got, want)
		}
	}
	f("", "resetchannels -@all")
	f("allkeys allchannels allcommands", "~* &* +@all")
	f("+GET  +Set\t~A:*", "~A:* resetchannels -@all +get +set")
	f("+get -get", "resetchannels -@all -get")
	f("+@read -get +get", "resetchannels -@all +@read +get")
	f("+config|get +config|set +config", "resetchannels -@all +config")
	f("+config -config|set", "resetchannels -@all +config -config|set")
	f("+@all -@dangerous +keys", "resetchannels +@all -@dangerous +keys")
	f("+get +@all", "resetchannels +@all")
	f("%R~* %W~*", "~* resetchannels -@all")
	f("%R~a %W~a &x &y", "~a resetchannels &x &y -@all")
	f("on +get (~a +set) ( )", "resetchannels -@all +get (~a resetchannels -@all +set) (resetchannels -@all)")
	f("+get ~a (+set) reset", "resetchannels -@all")
	f("sanitize-payload +get", "resetchannels -@all +get")
	f("+@all +config|get +@read", "resetchannels +@all")
	f("+@all -config|get +config", "resetchannels +@all +config")
	f("+Select|0 +select|A +select|0", "resetchannels -@all +select|0 +select|a")
	f("+select|0 -select +get", "resetchannels -@all -select +get")
	f("+select|0 +select", "resetchannels -@all +select")
	f("+@all +select|0", "resetchannels +@all")
	f("+get (+select|1)", "resetchannels -@all +get (resetchannels -@all +select|1)")
}

func TestRulesRefused(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	f := func(rules string, rule int, problem string) {
		t.Helper()
		_, err := identity.ParseRules(set, rules)
		var mistake *identity.RuleError
		if !errors.As(err, &mistake) {
			t.Errorf("%q: error %v", rules, err)
			return
		}
		if mistake.Rule != rule || !strings.Contains(mistake.Problem, problem) || mistake.Mend == "" {
			t.Errorf("%q: rule %d %q (mend %q)", rules, mistake.Rule, mistake.Problem, mistake.Mend)
		}
	}
	// What Redis grants and Lethe never does.
	f("on nopass ~*", 2, "nopass")
	f("NOPASS", 1, "nopass")
	f("skip-sanitize-payload", 1, "never granted")
	f("~* >topsecret", 2, "token")
	f("<topsecret", 1, "token")
	f("#5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", 1, "token")
	f("resetpass", 1, "resetpass")
	f("+config|get|port", 1, `"config|get" by its first argument`)
	f("-select|0", 1, "no command")
	f("%R", 1, "key pattern")
	f("%", 1, "key pattern")
	f("%~a", 1, "key pattern")
	// What Redis refuses too.
	f("+get +nosuch", 2, `"nosuch"`)
	f("+@nosuch", 1, `"@nosuch"`)
	f("+config|nosuch", 1, `"config|nosuch"`)
	f("~* ~a", 2, "all keys are granted")
	f("&* &a", 2, "all channels are granted")
	f("+get (+set +nosuch)", 3, "nosuch")
	f("+get (+set", 2, "not closed")
	f("(on)", 1, "not a rule")
	f("(>topsecret)", 1, "not a rule")
	f("~a\x00b", 1, "zero byte")
	f(strings.Repeat("(+get) ", 64), 64, "beyond the 63")
	f(strings.Repeat(" ", 70_000), 1, "more than 65536 bytes")
}

// A token or a key name that ends up among the rules must not come back in the error.
func TestRulesErrorsAreSilent(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	const mark = "MARK-0123456789"
	for _, rules := range []string{mark, ">" + mark, "#" + mark, "+" + mark, "-@" + mark, "~* ~" + mark, "%" + mark, "&* &" + mark, "(" + mark, "(+get " + mark + ")", "+config|" + mark, "+config|get|" + mark} {
		_, err := identity.ParseRules(set, rules)
		if err == nil || strings.Contains(strings.ToLower(err.Error()), "mark") {
			t.Errorf("%q: %v", rules, err)
		}
	}
}

func TestEnabledRule(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	f := func(rules string, wantOn, wantSaid bool) {
		t.Helper()
		if on, said := parse(t, set, rules).Enabled(); on != wantOn || said != wantSaid {
			t.Errorf("%q: %v %v", rules, on, said)
		}
	}
	f("+get", false, false)
	f("on", true, true)
	f("on OFF", false, true)
	f("on reset", false, true)
	f("reset on", true, true)
}

func TestDefaultRules(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	p := parse(t, set, identity.DefaultRules(set))
	granted := allowed(set, p.Command)
	for _, name := range strings.Fields(`get set setex getex getdel mget mset append del unlink exists expire pexpire persist ttl scan type
		rename copy hset hgetall hmset lpush sadd smembers zadd zrange xadd publish subscribe psubscribe multi exec watch ping echo select
		hello auth quit reset client|setname client|setinfo client|getname client|id client|tracking command command|docs info
		cluster|slots cluster|shards cluster|nodes readonly object|encoding memory|usage time acl|whoami dbsize randomkey setrange`) {
		if _, exists := set.ID(name); exists && !slices.Contains(granted, name) {
			t.Errorf("%s is not granted", name)
		}
	}
	for _, name := range strings.Fields(`keys flushdb flushall sort sort_ro restore migrate swapdb config config|get config|set debug monitor
		client|list client|kill client|pause client|no-evict acl|setuser acl|list acl|getuser acl|save shutdown save bgsave replicaof sync psync
		role slowlog|get latency|latest module|load eval evalsha eval_ro fcall function|load script|load cluster|failover cluster|reset`) {
		if slices.Contains(granted, name) {
			t.Errorf("%s is granted", name)
		}
	}
	if !p.Key([]byte("any"), identity.Read|identity.Write) || !p.Channel([]byte("any")) {
		t.Error("keys and channels are bound by tenants, not by the default rules")
	}
}

// A table that lacks what the default names still gets default rules that can be read.
func TestDefaultRulesOfASmallTable(t *testing.T) {
	t.Parallel()
	set := newCommandTable("get read,fast\nset write\nkeys read,dangerous\n")
	p := parse(t, set, identity.DefaultRules(set))
	if got := allowed(set, p.Command); !slices.Equal(got, []string{"get", "set"}) {
		t.Error(got)
	}
}

func TestNoPermissions(t *testing.T) {
	t.Parallel()
	for _, p := range []*identity.Permissions{nil, {}} {
		if p.Command(0) || p.Command(-1) || p.Command(1<<40) || p.Key(nil, 0) || p.Channel(nil) || p.ChannelPattern(nil) ||
			p.Paths(0) != 0 || p.WithKey(1, nil, 0) != 0 || p.WithChannel(3, nil) != 0 {
			t.Errorf("%v permits something", p)
		}
	}
	set := newCommandTable(realCommands)
	p := parse(t, set, "+@all ~* &*")
	if p.Command(-1) || p.Command(set.Len()+64) || p.WithKey(1<<63, []byte("a"), identity.Read) != 0 {
		t.Error("a command outside the table is permitted")
	}
}

// A caller that does not follow selectors is granted less than they say, never more.
func TestRootAlone(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	p := parse(t, set, "+get ~a (+set ~b &c)")
	setID, _ := set.ID("set")
	if p.Command(setID) || p.Key([]byte("b"), identity.Write) || p.Channel([]byte("c")) {
		t.Error("a selector's grant is taken for the root's")
	}
	if p.WithKey(p.Paths(setID), []byte("b"), identity.Write) == 0 || p.WithKey(p.Paths(setID), []byte("a"), identity.Write) != 0 {
		t.Error("selectors are not followed")
	}
}

// A rule about a first argument permits calls that have it, and whoever asks what a user may do at all is told of the command.
func TestRulesByFirstArgument(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	id, _ := set.ID("select")
	f := func(rules, call string, want identity.Paths) {
		t.Helper()
		var args [][]byte
		for word := range strings.FieldsSeq(call) {
			args = append(args, []byte(word))
		}
		p := parse(t, set, rules)
		if got := p.PathsOf(id, args); got != want {
			t.Errorf("%q: %q takes %b, want %b", rules, call, got, want)
		}
		if p.Paths(id) == 0 || p.Command(id) != strings.Contains(rules, "+@all") {
			t.Errorf("%q: what it permits at all is wrong", rules)
		}
	}
	f("+select|0", "select 0", 1)
	f("+select|a", "SELECT A", 1)
	f("+select|0", "select 1", 0)
	f("+select|0", "select 00", 0)
	f("+select|0", "select", 0)
	f("+select|0 +select|1", "select 1", 1)
	f("+get (+select|1)", "select 1", 2)
	f("+@all (+select|1)", "select 1", 3)
	f("+@all (+select|1)", "select 2", 1)
	for _, rules := range []string{"+select|0 -select", "+select|0 -@connection", "+select|0 -@all", "+select|0 reset"} {
		if p := parse(t, set, rules); p.Paths(id) != 0 {
			t.Errorf("%q permits it", rules)
		}
	}
	within := func(rules, other string, want bool) {
		t.Helper()
		if got := parse(t, set, rules).Within(parse(t, set, other)); got != want {
			t.Errorf("%q within %q: %v", rules, other, got)
		}
	}
	within("+select|0", "+select|0 +select|1", true)
	within("+select|0", "+select", true)
	within("+select|0", "+select|1", false)
	within("+select", "+select|0", false)
}
