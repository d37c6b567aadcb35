package live_test

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/testkit"
)

var long = flag.Bool("long", false, "sample a server of 10,000,000 keys and measure what others notice")

func known[T any](t *testing.T, r *model.Resource, f model.Fact[T]) T {
	t.Helper()
	v := f.Of(r)
	value, ok := v.Get()
	if !ok {
		t.Fatalf("%s is unknown: %s", f.Name(), v.Why)
	}
	return value
}

func TestServerWithoutAnyProtection(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{})
	c := server.Dial(t)
	c.Do("DEBUG", "POPULATE", "3000", "TENANT001:patient")
	c.Do("SET", "TENANT001:patient:good", "x", "PX", "200000")
	c.Do("SET", "TENANT001:patient:late", "x", "EX", "86400")
	c.Do("SET", "member:ssn:123-45-6789", "x", "EX", "60")
	r, err := live.Read(t.Context(), live.Target{Network: "unix", Address: server.Socket, Sample: live.Sample{Keys: 100_000, PerSecond: 1_000_000, Values: true}})
	if err != nil {
		t.Fatal(err)
	}
	if known(t, r, model.AuthRequired) || known(t, r, model.TransitEncryption) || known(t, r, model.PlaintextRefused) {
		t.Error("an open server looks protected")
	}
	if v := known(t, r, model.EngineVersion); !strings.Contains(v, ".") {
		t.Errorf("version %q", v)
	}
	users := known(t, r, model.Users)
	if len(users) != 1 || !users[0].NoPassword || !slices.Contains(users[0].Dangerous, "FLUSHALL") {
		t.Errorf("users are %v", users)
	}
	s := known(t, r, model.TTLs)
	if s.Sampled != 3003 || s.PHI != 3003 || s.NoTTL != 3000 || s.TooLong != 1 || s.Low < 0.99 || len(s.Marks) != 10 {
		t.Errorf("sample is %+v", s)
	}
	if n := known(t, r, model.KeyNames); n.Hits["ssn"] != 1 {
		t.Errorf("names are %+v", n)
	}
	if !strings.Contains(string(c.Do("DBSIZE").Raw), "3003") {
		t.Error("the scan changed the number of keys")
	}
	src, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{"123-45-6789", "TENANT001"} {
		if strings.Contains(string(src), leak) {
			t.Errorf("the resource holds a key name (%q)", leak)
		}
	}
}

func TestServerWithTLSAndUsers(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{TLS: true, Flags: []string{
		"--user", "default", "off", "--user", "scanner", "on", ">opensesame", "%R~*", "-@all",
		"+info", "+config|get", "+acl|list", "+acl|dryrun", "+acl|log", "+client|list", "+command|info", "+ping", "+scan", "+pttl",
	}})
	target := live.Target{Network: "tcp", Address: server.Addr, User: "scanner", Roots: server.TLS.RootCAs, Password: func() []byte { return []byte("opensesame") },
		Sample: live.Sample{Keys: 10}}
	r, err := live.Read(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if v := known(t, r, model.TLSVersions); !slices.Equal(v, []string{"TLSv1.3"}) {
		t.Errorf("versions are %v", v)
	}
	cert := known(t, r, model.TLSCertificate)
	if !known(t, r, model.PlaintextRefused) || !known(t, r, model.AuthRequired) || !cert.ChainValid || !cert.NameMatches || cert.KeyBits != 256 {
		t.Errorf("plaintext refused, login needed, or certificate is wrong: %v", cert)
	}
	users := known(t, r, model.Users)
	i := slices.IndexFunc(users, func(u model.AuthUser) bool { return u.Name == "scanner" })
	if i < 0 || !slices.Equal(users[i].Dangerous, []string{"CONFIG", "ACL"}) {
		t.Errorf("users are %v", users)
	}
	if s := known(t, r, model.TTLs); s.Sampled != 0 {
		t.Errorf("sample of an empty server: %+v", s)
	}
}

// A password is not for whoever answers.
func TestPasswordStaysHereWithoutTrust(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{TLS: true})
	f := func(name string, target live.Target) {
		t.Helper()
		asked := false
		target.Password = func() []byte { asked = true; return []byte("opensesame") }
		_, err := live.Read(t.Context(), target)
		var unreached *live.Unreached
		if !errors.As(err, &unreached) || !strings.Contains(unreached.Why, "no password is sent") || !asked {
			t.Errorf("%s: %v, want a refusal to send the password", name, err)
		}
		if stats := string(server.Dial(t).Do("INFO", "commandstats").Raw); strings.Contains(stats, "cmdstat_auth") {
			t.Errorf("%s: the server was sent AUTH", name)
		}
	}
	f("an authority that is not trusted", live.Target{Network: "tcp", Address: server.Addr, Roots: x509.NewCertPool()})
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	r, err := live.Read(t.Context(), live.Target{Network: "unix", Address: t.TempDir() + "/none"})
	if err == nil {
		t.Error("a server that is not there was read")
	}
	for _, f := range []model.AnyFact{model.TransitEncryption, model.AuthRequired, model.Users, model.TTLs, model.Bind, model.EngineVersion, model.MonitorClients} {
		if r.Reading(f.Name()).State == model.Known {
			t.Errorf("%s is known of a server that is not there", f.Name())
		}
	}
}

// What a login may not ask is unknown, and says so.
func TestLoginWithFewRights(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{})
	server.Dial(t).Do("ACL", "SETUSER", "default", "-@all", "+ping", "+info")
	r, err := live.Read(t.Context(), live.Target{Network: "unix", Address: server.Socket, Sample: live.Sample{Keys: 10}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []model.AnyFact{model.Users, model.Bind, model.IdleTimeout, model.TTLs, model.AuthFailures, model.MonitorClients} {
		if v := r.Reading(f.Name()); v.State == model.Known || !strings.Contains(v.Why, "may not run") {
			t.Errorf("%s is %v: %q", f.Name(), v.State, v.Why)
		}
	}
	known(t, r, model.EngineVersion)
}

// A sample is made of calls that are short for the server: it serves nobody else while it answers one.
func TestSampleDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t, testkit.RedisOptions{})
	c := server.Dial(t)
	keys := 200_000
	if *long {
		keys = 10_000_000
	}
	const step = 200_000 // a reply has to come in time
	for i := range keys / step {
		c.Do("DEBUG", "POPULATE", fmt.Sprint(step), fmt.Sprintf("patient%d", i), "32")
	}
	before := p99(t, server, nil)
	c.Do("CONFIG", "RESETSTAT")
	sampling := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, err := live.Read(ctx, live.Target{Network: "unix", Address: server.Socket, Sample: live.Sample{Keys: 20_000, PerSecond: 10_000}})
		sampling <- err
	}()
	during := p99(t, server, sampling)
	// The median: in the mean is the time as well for which a busy machine does not run the server.
	stats := string(c.Do("INFO", "latencystats").Raw)
	for _, command := range []string{"scan", "pttl"} {
		_, after, _ := strings.Cut(stats, "latency_percentiles_usec_"+command+":p50=")
		var median float64
		if _, err := fmt.Sscanf(after, "%f", &median); err != nil || median > 500 {
			t.Errorf("a call of %s takes the server %.0f µs (%v)", command, median, err)
		}
	}
	t.Logf("%d keys: p99 of a GET %v before, %v during the sample", keys, before, during)
	if *long && during-before > time.Millisecond {
		t.Errorf("the p99 of others grew by %v", during-before)
	}
}

// p99 measures GETs for as long as something goes on, or 20,000 of them.
func p99(t *testing.T, server *testkit.Redis, until chan error) time.Duration {
	t.Helper()
	c := server.Dial(t)
	var all []time.Duration
	for len(all) < 20_000 || until != nil {
		begin := time.Now()
		c.Do("GET", "patient0:1")
		all = append(all, time.Since(begin))
		select {
		case err := <-until:
			if err != nil {
				t.Fatal(err)
			}
			until = nil
		default:
		}
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}
