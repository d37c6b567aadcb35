package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// fleetOf starts gateways in front of one upstream, one after another. Each has the same users and a data directory of its own.
func fleetOf(t *testing.T, n int, o testkit.LetheOptions) []*testkit.Lethe {
	t.Helper()
	first := testkit.StartLethe(t, o)
	all := []*testkit.Lethe{first}
	for range n - 1 {
		all = append(all, joining(t, first, o))
	}
	return all
}

// joining starts one more gateway beside another.
func joining(t *testing.T, beside *testkit.Lethe, o testkit.LetheOptions) *testkit.Lethe {
	t.Helper()
	o.DataDir, o.Tokens = filepath.Join(t.TempDir(), "data"), beside.Tokens
	if err := os.Mkdir(o.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cluster.secret", "users.yaml"} {
		content, err := os.ReadFile(filepath.Join(beside.DataDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.DataDir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return testkit.StartLethe(t, o)
}

// decide changes a consent by the command line at one gateway and returns the receipt.
func decide(t *testing.T, at *testkit.Lethe, action, subject string) (r consentReceipt) {
	t.Helper()
	out, stderr, code := at.CLI(t, "", "consent", action, "--tenant", "TENANT001", "--subject", subject, "--reason", "patient-request", "--json")
	if code != 0 {
		t.Fatalf("consent %s: %s", action, stderr)
	}
	var file struct{ Receipt consentReceipt }
	if err := json.Unmarshal([]byte(out), &file); err != nil {
		t.Fatal(err)
	}
	return file.Receipt
}

type consentReceipt struct {
	ID       string
	Gateways []confirmation
}

type confirmation struct {
	Name        string
	ConfirmedAt string `json:"confirmed_at"`
	Erased      []struct {
		Category string
		Entries  int
	}
}

// outOfTouch is what a gateway says of PHI that is not in touch with the others: for a while after it, or the upstream, was kept from
// running for a second, as a busy machine does. Nothing has happened then.
const outOfTouch = "-CONSENT this gateway is not in touch"

// answer is the reply to a command. It is asked for again from a gateway that is out of touch, where that is not what is wanted.
func answer(on *testkit.Client, want string, args ...string) testkit.Reply {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		got := on.Do(args...)
		if !strings.HasPrefix(string(got.Raw), outOfTouch) || want != "" && strings.HasPrefix(outOfTouch, want) || time.Now().After(end) {
			return got
		}
	}
}

func expect(t *testing.T, on *testkit.Client, want string, args ...string) {
	t.Helper()
	if got := answer(on, want, args...); !strings.HasPrefix(string(got.Raw), want) {
		t.Errorf("%q: %s, want %q", args, show(got.Raw), want)
	}
}

// G7 over gateways: a revocation at one is in force at the others when its receipt is there, which names them; what is
// upstream is erased; a gateway that starts later, or again, has it before it serves; and a restoration reaches all too.
func TestAConsentIsRevokedAtEveryGateway(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind)}
	both := fleetOf(t, 2, o)
	one, two := both[0], both[1]
	a, b, direct := one.Dial(t, reader), two.Dial(t, reader), behind.Dial(t)
	expect(t, a, "+OK", "SET", patient, "v")
	expect(t, b, ":1", "HSET", patient+":meds", "f", "v")
	expect(t, b, "+OK", "SET", "TENANT001:patient:2", "v")
	expect(t, b, "$1\r\nv", "GET", patient)

	r := decide(t, one, "revoke", "1")
	expect(t, b, "-CONSENT", "GET", patient)
	expect(t, a, "-CONSENT", "SET", patient, "v")
	expect(t, b, "-CONSENT", "SET", patient, "v")
	expect(t, b, "$1\r\nv", "GET", "TENANT001:patient:2")
	if n := direct.Do("DBSIZE").Int; n != 1 {
		t.Errorf("%d keys are left upstream, want that of the other patient", n)
	}
	if len(r.Gateways) != 2 || r.Gateways[0].Name == r.Gateways[1].Name || r.Gateways[0].ConfirmedAt == "" || r.Gateways[1].ConfirmedAt == "" ||
		len(r.Gateways[0].Erased) != 1 || r.Gateways[0].Erased[0].Entries != 2 {
		t.Errorf("the receipt says %+v", r.Gateways)
	}

	three := joining(t, one, o)
	c := three.Dial(t, reader)
	expect(t, c, "-CONSENT", "GET", patient)
	one.Kill(t)
	three.Stop(t)
	two.Kill(t) // nobody is left: each has it in its own journal
	three = three.Restart(t, o)
	c = three.Dial(t, reader)
	expect(t, c, "-CONSENT", "GET", patient)
	two = two.Restart(t, o)

	decide(t, three, "restore", "1")
	b = two.Dial(t, reader)
	expect(t, b, "$-1", "GET", patient)
	expect(t, b, "-CONSENT", "SET", patient, "late")
}

// A gateway that is stopped is named as one that has not confirmed, and serves nothing of the patient when it goes on.
func TestAStoppedGatewayIsNotConfirmed(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	a, b := both[0].Dial(t, reader), both[1].Dial(t, reader)
	expect(t, a, "+OK", "SET", patient, "v")
	expect(t, b, "$1\r\nv", "GET", patient)

	stop(t, both[1])
	b.Send(testkit.Command("GET", patient)) // is there when it goes on
	began := time.Now()
	r := decide(t, both[0], "revoke", "1")
	t.Logf("receipt without the stopped gateway after %v", time.Since(began))
	unconfirmed := slices.DeleteFunc(r.Gateways, func(g confirmation) bool { return g.ConfirmedAt != "" })
	if len(unconfirmed) != 1 {
		t.Errorf("%d gateways have not confirmed, want the one that was stopped", len(unconfirmed))
	}
	resume(t, both[1])
	if got, err := b.Receive(patience); err != nil || !strings.HasPrefix(string(got.Raw), "-CONSENT") {
		t.Errorf("the stopped gateway answers %s, %v", show(got.Raw), err)
	}
	soon(t, "it serves others' data again", func() bool { return string(b.Do("GET", "TENANT001:patient:2").Raw) == "$-1\r\n" })
	expect(t, b, "-CONSENT the consent for", "GET", patient)
}

// With upstream.gateways a gateway serves no PHI before as many are in touch, and none when they are fewer again.
func TestAsManyGatewaysAsThereMustBe(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: append(upstreamFlags(behind), "--upstream-gateways", "2")}
	one := testkit.StartLethe(t, o)
	a := one.Dial(t, reader)
	expect(t, a, "-CONSENT this gateway", "GET", patient)
	two := joining(t, one, o)
	b := two.Dial(t, reader)
	soon(t, "both serve", func() bool { return !a.Do("GET", patient).IsError() && !b.Do("GET", patient).IsError() })
	expect(t, b, "$-1", "GET", patient)
	two.Kill(t)
	soon(t, "the one that is left does not", func() bool { return a.Do("GET", patient).IsError() })
}
