package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/testkit"
)

func read(t *testing.T, name string, files map[string]string) (*model.Resource, []config.Problem) {
	t.Helper()
	return config.Read(config.File{Name: name, Data: []byte(files[name]), Mode: -1, Read: func(n string) ([]byte, error) {
		if src, ok := files[n]; ok {
			return []byte(src), nil
		}
		return nil, errors.New("no such file")
	}})
}

func TestLastSettingWins(t *testing.T) {
	t.Parallel()
	f := func(src string, want int64) {
		t.Helper()
		r, problems := read(t, "redis.conf", map[string]string{"redis.conf": src, "more.conf": "timeout 7\n"})
		if len(problems) > 0 {
			t.Errorf("%q: %v", src, problems)
		}
		if have, ok := model.IdleTimeout.Of(r).Get(); !ok || have != want {
			t.Errorf("%q: timeout %d (known %t), want %d", src, have, ok, want)
		}
	}
	f("", 0)
	f("timeout 300", 300)
	f("timeout 300\ntimeout 60", 60)
	f("TIMEOUT 300", 300)
	f("include more.conf\ntimeout 60", 60)
	f("timeout 60\ninclude more.conf", 7)
	f("timeout 60 # no comment, the server would refuse it\ntimeout 5", 5)
	f("# timeout 9\ntimeout \"8\"", 8)
}

func TestWhatAnIncludeCouldHaveSaidIsUnknown(t *testing.T) {
	t.Parallel()
	f := func(files map[string]string, problem string) {
		t.Helper()
		r, problems := read(t, "redis.conf", files)
		if len(problems) == 0 || !strings.Contains(problems[0].Text, problem) {
			t.Errorf("problems are %v, want one with %q", problems, problem)
		}
		if v, ok := model.IdleTimeout.Of(r).Get(); ok {
			t.Errorf("timeout is known to be %d, want unknown", v)
		}
		if v, ok := model.Keepalive.Of(r).Get(); !ok || v != 11 {
			t.Errorf("what is set after the include is %d (known %t), want 11", v, ok)
		}
	}
	f(map[string]string{"redis.conf": "timeout 1\ninclude gone.conf\ntcp-keepalive 11"}, "no such file")
	f(map[string]string{"redis.conf": "timeout 1\ninclude redis.conf\ntcp-keepalive 11"}, "includes itself")
	f(map[string]string{"redis.conf": "timeout 1\ninclude a.conf\ntcp-keepalive 11", "a.conf": "include b.conf", "b.conf": "include a.conf"}, "includes itself")
	f(map[string]string{"redis.conf": "timeout 1\ninclude /etc/*.conf\ntcp-keepalive 11"}, "patterns")
	f(map[string]string{"redis.conf": "timeout 1\ninclude ${DIR}/x.conf\ntcp-keepalive 11"}, "filled in later")
}

func TestIncludesHaveAnEnd(t *testing.T) {
	t.Parallel()
	files := map[string]string{"redis.conf": "include a.conf\n"}
	for i := range 25 {
		files[string(rune('a'+i))+".conf"] = "include " + string(rune('b'+i)) + ".conf\n"
	}
	_, problems := read(t, "redis.conf", files)
	if len(problems) != 1 || !strings.Contains(problems[0].Text, "too deep") {
		t.Errorf("problems are %v, want one: too deep", problems)
	}
}

func TestUnknownValues(t *testing.T) {
	t.Parallel()
	f := func(line string, fact model.AnyFact, why string) {
		t.Helper()
		r, _ := read(t, "redis.conf", map[string]string{"redis.conf": line})
		v := r.Reading(fact.Name())
		if v.State != model.Unknown || !strings.Contains(v.Why, why) {
			t.Errorf("%q: %s is %v %q, want unknown with %q", line, fact.Name(), v.State, v.Why, why)
		}
	}
	f("timeout ${TIMEOUT}", model.IdleTimeout, "filled in later")
	f("timeout soon", model.IdleTimeout, "not a number")
	f("maxmemory {{ .Values.memory }}", model.MaxMemory, "filled in later")
	f("protected-mode maybe", model.ProtectedMode, "neither yes nor no")
	f("requirepass $PASSWORD", model.AuthRequired, "filled in later")
	f("requirepass $PASSWORD", model.AuthToken, "filled in later")
	f("aclfile users.acl", model.Users, "outside")
	f("user app on nopass ~* +get <old", model.Users, "takes a password away")
	f("user app on (~a +get", model.Users, "selector is not closed")
	f("", model.PubsubDefault, "before Redis 7.0")
}

// The marks that settings use inside cannot be forged by a file.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	f := func(src string) {
		t.Helper()
		r, _ := read(t, "redis.conf", map[string]string{"redis.conf": src})
		if v := model.AuthRequired.Of(r); v.State == model.Known || strings.Contains(v.Why, "CANARY") {
			t.Errorf("%q: a login is needed: %v %q", src, v.State, v.Why)
		}
		acl, _ := config.ReadACL(config.File{Name: "users.acl", Data: []byte(src), Mode: -1})
		if v := model.Users.Of(acl); v.State == model.Known || strings.Contains(v.Why, "CANARY") {
			t.Errorf("%q: users are %v %q", src, v.State, v.Why)
		}
	}
	f("requirepass \x01reference")
	f("requirepass \"\\x01reference\"")
	f("requirepass \x00CANARY")
	f("user default on >\x00CANARY ~* +@all")
	f("user default on >\x01CANARY ~* +@all")
}

// No password may leave the package, whatever is asked of a resource.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-CANARY-4711"
	r, problems := read(t, "redis.conf", map[string]string{
		"redis.conf": "requirepass " + secret + "\nmasterauth \"" + secret + "\"\nuser app on >" + secret + " ~* +@all\nuser bad on >" + secret + " ?\n",
	})
	src, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		src = append(src, p.Text...)
	}
	if strings.Contains(string(src), "CANARY") {
		t.Error("the JSON form of the resource or a problem has the password")
	}
}

func TestQuotes(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		r, _ := read(t, "redis.conf", map[string]string{"redis.conf": line})
		if have, _ := model.ACLFilePath.Of(r).Get(); have != want {
			t.Errorf("%s gives %q, want %q", line, have, want)
		}
	}
	f(`aclfile "/a b/c"`, "/a b/c")
	f(`aclfile '/a b/c'`, "/a b/c")
	f(`aclfile "/\x41\n"`, "/A\n")
	f(`aclfile '/\'x'`, "/'x")
}

func TestWeak(t *testing.T) {
	t.Parallel()
	f := func(list string, want ...string) {
		t.Helper()
		if have := config.Weak(list); !slices.Equal(have, want) {
			t.Errorf("Weak(%q) = %q, want %q", list, have, want)
		}
	}
	f("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305")
	f("HIGH:!aNULL", "HIGH")
	f("ECDHE-RSA-AES128-SHA:DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA")
	f("AES128-GCM-SHA256", "AES128-GCM-SHA256")
	f("DES-CBC3-SHA:-ALL", "DES-CBC3-SHA")
	f("ECDHE+AESGCM")
}

// What we make of ACL rules is what a real server makes of them.
func TestRightsAgainstRedis(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{})
	c := server.Dial(t)
	f := func(rules ...string) {
		t.Helper()
		c.Do(append([]string{"ACL", "SETUSER", "probe", "reset", "on", "nopass", "~*"}, rules...)...)
		var want []string
		for _, probe := range config.Probes() {
			reply := c.Do(append([]string{"ACL", "DRYRUN", "probe"}, probe.Args...)...)
			if strings.Contains(string(reply.Raw), "OK") && !slices.Contains(want, probe.Command) {
				want = append(want, probe.Command)
			}
		}
		r, _ := read(t, "redis.conf", map[string]string{"redis.conf": "user probe on nopass ~* " + strings.Join(rules, " ")})
		users, ok := model.Users.Of(r).Get()
		if !ok {
			t.Fatalf("%q: users are unknown", rules)
		}
		have := users[0].Dangerous
		slices.Sort(want)
		have = slices.Sorted(slices.Values(have))
		if !slices.Equal(have, want) {
			t.Errorf("%q: we say %q, redis-server says %q", rules, have, want)
		}
	}
	f("+@all")
	f("-@all")
	f("+@all", "-@dangerous")
	f("+@all", "-@admin")
	f("+@read", "+@write")
	f("+@all", "-@dangerous", "+keys")
	f("+@all", "-flushall", "-flushdb")
	f("+config|get")
	f("+@all", "-config|set", "-config|rewrite", "-config|get")
	f("+@scripting")
	f("+@keyspace", "-flushall")
	f("+client|kill")
	f("+client", "-client|kill")
	f("+@slow", "-@dangerous")
	f("allcommands", "nocommands", "+get")
	f("+@connection")
	f("+@sortedset")
}

func TestUsersAgainstRedis(t *testing.T) {
	t.Parallel()
	f := func(required bool, flags ...string) {
		t.Helper()
		server := testkit.StartRedis(t, testkit.RedisOptions{Flags: flags})
		reply := string(server.Dial(t).Do("PING").Raw)
		if strings.Contains(reply, "NOAUTH") != required {
			t.Fatalf("%q: redis-server answers %q", flags, reply)
		}
		src := strings.ReplaceAll(strings.Join(flags, " "), "--", "\n")
		r, _ := read(t, "redis.conf", map[string]string{"redis.conf": src})
		if have, ok := model.AuthRequired.Of(r).Get(); !ok || have != required {
			t.Errorf("%q: we say %t (known %t), redis-server %t", flags, have, ok, required)
		}
	}
	f(false)
	f(true, "--requirepass", "Xa7")
	f(false, "--requirepass", "Xa7", "--user", "default", "on", "nopass", "~*", "+@all")
	f(true, "--user", "default", "off")
	f(true, "--user", "default", "on", ">abc", "~*", "+@all")
}
