package gateway_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// failing are the commands whose call in the matrix is answered with an error even to a user who may do everything, each
// with why no call of it could do otherwise in a gateway without sockets. Those that Lethe refuses to everybody are not here.
var failing = map[string]string{
	"EXEC": "there is no MULTI before it", "DISCARD": "there is no MULTI before it", "SCRIPT|KILL": "no script runs", "FUNCTION|KILL": "no script runs",
	"SCRIPT|DEBUG": "there is no debugger", "AUTH": "the token is wrong, on purpose", "CLIENT|CACHING": "there is no tracking before it",
	"MOVE": "there is one database", "SWAPDB": "there is one database",
	"CONFIG|SET": "settings are not changed by clients", "CONFIG|RESETSTAT": "counters are not changed by clients",
	"CONFIG|REWRITE": "settings are not changed by clients", "READONLY": "this gateway is no cluster", "READWRITE": "this gateway is no cluster",
	"ASKING": "this gateway is no cluster",
}

// The matrix says something only where its calls would do something: by a user who may do everything, on his own entries,
// each succeeds.
func TestCallsOfTheMatrixWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	all := columns()
	everything := all[slices.IndexFunc(all, func(c column) bool { return c.name == "everything" })]
	v := &visit{world: w, column: everything, method: "token"}
	own := targets()[0]
	w.slowly(w.own, "KEYS *", 20*time.Millisecond) // for LATENCY GRAPH, however fast the machine is
	for _, c := range matrixCalls(w.gateway.Table) {
		s := v.enter(v.column, v.method)
		reply := plainly(w, s, &c, w.on(&c, own))
		_, expected := failing[c.spec.RecordName()]
		expected = expected || refusedToAll(c.spec) || c.spec.Group == "cluster" // whose commands a test of its own has
		if failed := strings.HasPrefix(reply, "-"); failed != expected || reply == "" && c.spec.RecordName() != "CLIENT|REPLY" {
			t.Errorf("%s: %q, expected to fail: %v", &c, reply, expected)
		}
		v.restore(&c, own)
		s.End()
	}
}

// The keyless commands tell nothing of a tenant that the caller does not reach, not even how much it has: they answer the
// same whether it is full or empty.
func TestOthersAreNotCounted(t *testing.T) {
	t.Parallel()
	full, empty := newWorld(t, true), newWorld(t, false)
	calls := matrixCalls(full.gateway.Table)
	for _, col := range columns() {
		for i := range calls {
			c := &calls[i]
			if c.keys > 0 || slices.Contains(tellOfTheProcess, c.spec.RecordName()) {
				continue
			}
			var replies [2]string
			for j, w := range []*world{full, empty} {
				v := &visit{world: w, column: col, method: "token"}
				s := v.enter(col, v.method)
				if replies[j] = plainly(w, s, c, w.on(c, targets()[0])); !refused(replies[j]) {
					v.restore(c, targets()[0])
				}
				s.End()
			}
			if a, b := sorted(replies[0]), sorted(replies[1]); a != b {
				t.Errorf("%s, %s: the other tenant makes a difference:\n%q\n%q", col.name, c, a, b)
			}
		}
	}
}

// tellOfTheProcess are keyless commands that answer with times, random numbers or how its memory happens to lie.
var tellOfTheProcess = []string{
	"RANDOMKEY", "ACL|GENPASS", "LASTSAVE", "SLOWLOG|GET", "SLOWLOG|LEN",
	"MEMORY|DOCTOR", "MEMORY|STATS", // sets and sorted sets take more or less with the process's random numbers
	"LATENCY|DOCTOR", "LATENCY|GRAPH", "LATENCY|HISTOGRAM", "LATENCY|HISTORY", "LATENCY|LATEST", "LATENCY|RESET",
}

var (
	instants = regexp.MustCompile(" (age|idle|ends)=[-:0-9TZ]+")
	lengths  = regexp.MustCompile(`(?m)^[$=][0-9]+\r$`)
)

// sorted is a reply with its lines in order, since that of keys differs from process to process, without instants, and
// without the lengths of texts, which depend on them.
func sorted(reply string) string {
	lines := strings.Split(lengths.ReplaceAllString(instants.ReplaceAllString(reply, ""), "\r"), "\r\n")
	slices.Sort(lines)
	return strings.Join(lines, " ")
}
