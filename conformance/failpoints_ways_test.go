package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/testkit"
)

func killWriting(t *testing.T, d *doomed, p failpoint.Point) { d.killUnderLoad(t, p, changes()...) }

// killAtDeadlines kills the gateway when entries that it wrote have ended, all in one instant. What it has deleted is in its
// audit, once.
func killAtDeadlines(t *testing.T, d *doomed, p failpoint.Point) {
	d.rounds++
	c := d.mortal.Dial(t, reader)
	const n = 20
	key := func(i int) string { return fmt.Sprintf("TENANT001:patient:%d-%d", d.rounds, i) }
	before := expirations(t, d.mortal)
	at := nameable(6 * time.Second) // before which all are written, on a busy machine too
	for i := range n {
		expect(t, c, "+OK", "SET", key(i), "v", "PXAT", at)
	}
	d.arm(t, p)
	d.awaitDeath(t)
	soon(t, "all have ended", func() bool { return d.behind.Dial(t).Do("DBSIZE").Int == 0 })
	for _, at := range []*testkit.Lethe{d.witness, d.mortal} {
		c := at.Dial(t, reader)
		soon(t, "the gateway serves PHI", func() bool { return !c.Do("GET", key(0)).IsError() })
		for i := range n {
			expect(t, c, "$-1", "GET", key(i))
		}
	}
	told := 0
	for entry, times := range expirations(t, d.mortal) {
		if times -= before[entry]; times > 1 {
			t.Errorf("an expiration is recorded %d times", times)
		}
		told += times
	}
	if recorded := p == failpoint.DeadlineRecorded || p == failpoint.DeadlineDeleted; told > n || recorded && told != n {
		t.Errorf("%d expirations of %d are recorded", told, n)
	}
	d.resumed(t)
	d.flush(t)
}

// killExchanging kills the gateway when it has drawn data keys, has told them, or takes some of the other's.
func killExchanging(t *testing.T, d *doomed, p failpoint.Point) {
	d.rounds++
	one, other := d.mortal, d.witness
	if p == failpoint.KeysTaken {
		one, other = other, one
	}
	c, key := one.Dial(t, reader), fmt.Sprintf("TENANT001:patient:keys%d", d.rounds)
	expect(t, c, "+OK", "SET", key, "before", "PX", strconv.Itoa(20_000+d.rounds*5000))
	soon(t, "the other gateway has the key", func() bool { return string(other.Dial(t, reader).Do("GET", key).Str) == "before" })
	d.arm(t, p)
	c.Send(testkit.Command("SET", key, "after", "PX", strconv.Itoa(200_000+d.rounds*5000))) // of a slice of deadlines without a key
	d.awaitDeath(t)
	checkLives(t, d.behind.Dial(t), d.rounds)
	for _, at := range []*testkit.Lethe{d.witness, d.mortal} {
		c := at.Dial(t, reader)
		soon(t, "the gateway serves PHI", func() bool { return !c.Do("GET", key).IsError() })
		// A miss where the key died with the gateway.
		if got := string(c.Do("GET", key).Str); got != "" && got != "after" && got != "before" {
			t.Errorf("an entry has a value that nobody wrote: %s", got)
		}
	}
	d.resumed(t)
}

// killRevoking kills the gateway while it takes a revocation. When that is on the disk it holds, and comes to its end with a
// receipt after the next start; until then nobody was told that it holds.
func killRevoking(t *testing.T, d *doomed, p failpoint.Point) {
	d.rounds++
	subject := fmt.Sprint("subject", d.rounds)
	key, c := "TENANT001:patient:"+subject, d.witness.Dial(t, reader)
	expect(t, c, "+OK", "SET", key, "v")
	expect(t, c, ":1", "HSET", key+":labs", "f", "v")
	expect(t, c, "+OK", "SET", key+"0", "another")
	officer := "officer" + fmt.Sprint(d.rounds)
	token, stderr, code := d.mortal.CLI(t, "", "user", "add", officer, "--tenants", "TENANT001", "--roles", "privacy-officer")
	if code != 0 {
		t.Fatal(stderr)
	}
	d.arm(t, p)
	d.orderRevocation(t, officer, strings.TrimSpace(token), subject)
	d.awaitDeath(t)

	holds := p != failpoint.ConsentInForce
	a := d.mortal.Dial(t, reader)
	for _, at := range []*testkit.Client{a, c} {
		soon(t, "both gateways agree", func() bool {
			got := at.Do("GET", key)
			return strings.HasPrefix(string(got.Raw), "-CONSENT the consent") == holds && (holds || string(got.Str) == "v")
		})
		expect(t, at, "$7\r\nanother", "GET", key+"0")
	}
	if holds {
		d.awaitReceipt(t)
	}
	left := int64(1)
	if !holds {
		left = 4
	}
	if n := d.behind.Dial(t).Do("DBSIZE").Int; n != left {
		t.Errorf("%d keys are left upstream, want %d", n, left)
	}
	d.verifyAudit(t)
	d.resumed(t)
	d.flush(t)
}

// orderRevocation posts a revocation, whose answer never comes.
func (d *doomed) orderRevocation(t *testing.T, officer, token, subject string) {
	t.Helper()
	body := `{"action":"revoke","tenant":"TENANT001","subject":"` + subject + `","reason":"patient-request"}`
	r, err := http.NewRequest(http.MethodPost, "https://"+d.mortal.Admin+"/v1/consents", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(officer, token)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: d.mortal.TLS(), DisableKeepAlives: true}, Timeout: time.Minute}
	answer, err := client.Do(r)
	if err == nil {
		answer.Body.Close()
		t.Errorf("the revocation was answered with %d", answer.StatusCode)
	}
}

// awaitReceipt waits until every revocation has its receipt, and verifies that of the last: it names both gateways, and what was
// erased is in it.
func (d *doomed) awaitReceipt(t *testing.T) {
	t.Helper()
	var last struct {
		ID        string
		Confirmed bool
	}
	soon(t, "the revocation has its receipt", func() bool {
		out, stderr, code := d.mortal.CLI(t, "", "consent", "list", "--all", "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		var all []struct {
			ID        string
			Confirmed bool
		}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatal(err)
		}
		last = all[len(all)-1]
		return last.Confirmed
	})
	out, stderr, code := d.mortal.CLI(t, "", "consent", "receipt", last.ID, "--json")
	var file struct{ Receipt consentReceipt }
	if err := json.Unmarshal([]byte(out), &file); err != nil || code != 0 {
		t.Fatalf("the receipt: %v %s", err, stderr)
	}
	erased := 0
	for _, g := range file.Receipt.Gateways {
		if g.ConfirmedAt == "" {
			t.Errorf("%s has not confirmed", g.Name)
		}
		for _, e := range g.Erased {
			erased += e.Entries
		}
	}
	if len(file.Receipt.Gateways) != 2 || erased != 2 {
		t.Errorf("the receipt names %d gateways and %d entries, want 2 and 2", len(file.Receipt.Gateways), erased)
	}
}

// killHearing kills the gateway when it has heard of a revocation: the receipt of the other one says that it has not confirmed,
// and it has it before it serves again.
func killHearing(t *testing.T, d *doomed, p failpoint.Point) {
	d.rounds++
	subject := fmt.Sprint("subject", d.rounds)
	key, c := "TENANT001:patient:"+subject, d.mortal.Dial(t, reader)
	expect(t, c, "+OK", "SET", key, "v")
	d.arm(t, p)
	r := decide(t, d.witness, "revoke", subject)
	unconfirmed := 0
	for _, g := range r.Gateways {
		if g.ConfirmedAt == "" {
			unconfirmed++
		}
	}
	if len(r.Gateways) != 2 || unconfirmed != 1 {
		t.Errorf("the receipt names %d gateways, %d unconfirmed", len(r.Gateways), unconfirmed)
	}
	d.awaitDeath(t)
	c = d.mortal.Dial(t, reader)
	expect(t, c, "-CONSENT", "GET", key)
	expect(t, c, "-CONSENT", "SET", key, "late")
	if n := d.behind.Dial(t).Do("DBSIZE").Int; n != 0 {
		t.Errorf("%d keys are left upstream", n)
	}
	d.resumed(t)
	d.flush(t)
}

// flush leaves nothing for the next point.
func (d *doomed) flush(t *testing.T) {
	t.Helper()
	expect(t, d.witness.Dial(t, mover.Name), "+OK", "FLUSHDB")
}

// killMoving kills `lethe migrate`, and lets it go on from its state file.
func killMoving(t *testing.T, d *doomed, p failpoint.Point) {
	source := testkit.StartRedis(t, testkit.RedisOptions{})
	m := moveOf(t, source.Dial(t), d.witness, "--from", "unix://"+source.Socket)
	const n = 600
	for i := range n {
		m.source.Send(testkit.Command("SET", "TENANT001:patient:canary"+strconv.Itoa(i), "canary"+strconv.Itoa(i), "EX", "200"))
	}
	for range n {
		if _, err := m.source.Receive(patience); err != nil {
			t.Fatal(err)
		}
	}
	d.arm(t, p)
	cmd, _, _ := m.command("--apply", "--rate", "400")
	cmd.Env = append(os.Environ(), d.o.Env...)
	cmd.Env = append(cmd.Env, "LETHE_FAILPOINT_FILE="+d.armed)
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the move has ended by itself: %v", err)
	}
	if err := os.Remove(d.armed); err != nil {
		t.Fatal(err)
	}
	checkLives(t, d.behind.Dial(t), 0)
	if r, stderr, code := m.run("--apply"); code != 0 || r.Keys < n {
		t.Fatalf("ends with %d after %d keys: %s", code, r.Keys, stderr)
	}
	c := d.witness.Dial(t, mover.Name)
	for i := range n {
		key := "TENANT001:patient:canary" + strconv.Itoa(i)
		if got := c.Do("GET", key); string(got.Str) != "canary"+strconv.Itoa(i) {
			t.Fatalf("an entry that was moved: %s", show(got.Raw))
		}
	}
	checkLives(t, d.behind.Dial(t), 0)
	d.flush(t)
}
