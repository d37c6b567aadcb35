package conformance

import (
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

var redisUnits = flag.String("redis", "", "run Redis's own tests: all, or units such as unit/expire,unit/sort")

// testedUnits are the units of Redis's suite that are about what Lethe has.
func testedUnits() []string {
	return strings.Fields(`
		unit/type/string unit/type/incr unit/type/list unit/type/list-2 unit/type/list-3 unit/type/set unit/type/zset
		unit/type/hash unit/type/stream unit/type/stream-cgroups unit/keyspace unit/scan unit/expire unit/sort unit/bitops
		unit/bitfield unit/geo unit/hyperloglog unit/multi unit/pubsub unit/pubsubshard unit/scripting unit/functions
		unit/dump unit/other unit/tracking unit/introspection unit/introspection-2 unit/slowlog unit/latency-monitor
		unit/pause unit/querybuf unit/protocol unit/quit unit/auth unit/acl unit/acl-v2 unit/info unit/info-command
		integration/redis-cli`)
}

// unitTimeout is how long a unit may take: on a machine of its own the longest takes two minutes.
const unitTimeout = 15 * time.Minute

// Redis's own tests pass, but for those in redis_failures.go. They take some minutes and a download, so they run when the
// flag asks for them: `make test-redis`.
func TestRedisTests(t *testing.T) {
	if *redisUnits == "" {
		t.Skip("make test-redis runs Redis's own tests")
	}
	tclsh, err := exec.LookPath("tclsh")
	if err != nil {
		t.Fatal(err)
	}
	units, dir := testedUnits(), redisSource(t)
	if *redisUnits != "all" {
		units = strings.Split(*redisUnits, ",")
	}
	var passed, failed, skipped int
	for _, unit := range units {
		t.Run(strings.ReplaceAll(unit, "/", "-"), func(t *testing.T) {
			r := runRedisUnit(t, tclsh, dir, unit)
			r.compare(t, listedFailures(unit))
			t.Logf("%s: %d passed, %d failed, %d not run", unit, r.passed, len(r.failed), len(r.skipped))
			passed, failed, skipped = passed+r.passed, failed+len(r.failed), skipped+len(r.skipped)
		})
	}
	t.Logf("Redis's own tests: %d passed, %d failed, %d not run", passed, failed, skipped)
}

// listedFailures returns what redis_failures.go says of a unit, by test.
func listedFailures(unit string) map[string]redisFailure {
	listed := map[string]redisFailure{}
	for _, f := range redisFailures() {
		if f.unit == unit {
			listed[f.test] = f
		}
	}
	return listed
}

// unitResult is what came of a unit. A test that runs more than once in it has failed when it did once.
type unitResult struct {
	unit     string
	passed   int
	failed   map[string]string // by test: what was wrong
	skipped  map[string]bool
	complete bool
	output   string
}

// runRedisUnit runs one unit against a server of its own.
func runRedisUnit(t *testing.T, tclsh, dir, unit string) *unitResult {
	t.Helper()
	const user = "default" // as a Redis calls whoever has not logged in
	users := []testkit.User{{Name: user, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}
	if isUserUnit(unit) {
		users = append(users, testkit.User{Name: keeper, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"})
	}
	l := testkit.StartLethe(t, testkit.LetheOptions{
		Users:  users,
		Policy: singleTenant, Plain: true, Flags: []string{"--loops", "1", "--redis-tests", "on"},
	})
	env, login := os.Environ(), user
	if isUserUnit(unit) {
		var more []string
		dir, more = userSuite(t, dir, unit, l, user)
		env, login = append(env, more...), ""
	}
	bridge, err := newOrderedBridge(l, login)
	if err != nil {
		t.Fatalf("cannot make a bridge: %v", err)
	}
	args := []string{"tests/test_helper.tcl", "--durable", "--host", "127.0.0.1", "--port", strconv.Itoa(bridge.port),
		"--baseport", strconv.Itoa(freePort(t) + 32), "--singledb", "--no-latency", "--clients", "1", "--single", unit}
	for _, f := range listedFailures(unit) {
		if f.skip {
			args = append(args, "--skiptest", f.test)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), unitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, tclsh, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the suite starts clients of its own, which end with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("cannot run Redis's tests: %v", err)
	}
	return parseUnit(unit, string(out))
}

// freePort is a port that was free a moment ago, for the suite's own server.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

var (
	colours  = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	duration = regexp.MustCompile(` \(\d+ ms\)$`)
)

// parseUnit reads what the suite prints: a line for each test, and below a failed one what was wrong.
func parseUnit(unit, output string) *unitResult {
	r := &unitResult{unit: unit, failed: map[string]string{}, skipped: map[string]bool{}, output: colours.ReplaceAllString(output, "")}
	failing := ""
	for line := range strings.Lines(r.output) {
		line = strings.TrimSuffix(line, "\n")
		kind, rest, isResult := strings.Cut(line, "]: ")
		switch kind {
		case "[ok":
			r.passed++
		case "[err":
			failing = strings.TrimSuffix(rest, " in tests/"+unit+".tcl")
			r.failed[failing] = ""
			continue
		case "[skip":
			r.skipped[duration.ReplaceAllString(rest, "")] = true
		default:
			isResult = isResult && strings.HasPrefix(kind, "[")
		}
		switch {
		case strings.Contains(line, "done]: "+unit):
			r.complete, failing = true, ""
		case isResult:
			failing = ""
		case failing != "" && len(r.failed[failing]) < 1000:
			r.failed[failing] += line[:min(len(line), 1000)] + "\n"
		}
	}
	r.complete = r.complete && !strings.Contains(r.output, "[exception]")
	return r
}

// compare fails the test for a difference between what came of the unit and what is listed.
func (r *unitResult) compare(t *testing.T, listed map[string]redisFailure) {
	t.Helper()
	for test, wrong := range r.failed {
		if _, ok := listed[test]; !ok {
			t.Errorf("%s: %q fails and is not listed:\n%s", r.unit, test, wrong)
		}
	}
	for test, f := range listed {
		if _, fails := r.failed[test]; !fails && !f.skip {
			t.Errorf("%s: %q is listed and does not fail", r.unit, test)
		}
	}
	if !r.complete {
		t.Errorf("%s did not come to its end:\n%s", r.unit, r.output[max(0, len(r.output)-2000):])
	}
}

func TestParseUnit(t *testing.T) {
	t.Parallel()
	r := parseUnit("unit/x", "\x1b[0;32m[ok]\x1b[0m: one (3 ms)\n[err]: two in tests/unit/x.tcl\nwanted 1\n[skip]: three\n[ok]: four: five (1 ms)\n"+
		"[1/1 \x1b[0;33mdone\x1b[0m]: unit/x (0 seconds)\n*** [err]: two in tests/unit/x.tcl\n")
	if !r.complete || r.passed != 2 || len(r.failed) != 1 || r.failed["two"] != "wanted 1\n" || !r.skipped["three"] {
		t.Errorf("read as %+v", r)
	}
	if r := parseUnit("unit/x", "[ok]: one (3 ms)\n[exception]: broken pipe\n[1/1 done]: unit/x (0 seconds)\n"); r.complete {
		t.Error("a unit that broke off is complete")
	}
}
