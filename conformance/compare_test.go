package conformance

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// differ says in what the replies to a call differ; "" when they are as they should be.
func differ(c call, protocol string, redis, lethe testkit.Reply) string {
	if c.how == except || c.how == isNew {
		return differFromWanted(c, protocol, redis, lethe)
	}
	if bytes.Equal(redis.Raw, lethe.Raw) {
		return ""
	}
	if redis.IsError() || lethe.IsError() {
		return bothReplies(redis, lethe)
	}
	same := false
	switch c.how {
	case exact:
		same = redis.Type == ':' && lethe.Type == ':' && redis.Int > 0 && lethe.Int > 0 && within(redis.Int, lethe.Int, c.slack())
	case unordered:
		same = slices.Equal(sortedElements(redis, 1), sortedElements(lethe, 1))
	case pairs:
		same = slices.Equal(sortedElements(redis, 2), sortedElements(lethe, 2))
	case shape:
		same = sameShape(redis.Value, lethe.Value)
	case sameType:
		same = redis.Type == lethe.Type
	case near:
		same = redis.Type == ':' && lethe.Type == ':' && within(redis.Int, lethe.Int, c.slack())
	}
	if same {
		return ""
	}
	return bothReplies(redis, lethe)
}

// slack is by how much the answers to a call may differ: by more than the script says where it asks for a deadline, which the
// two were given one after the other, on a machine that may be busy.
func (c call) slack() int64 {
	deadline := map[string]int64{"TTL": 5, "EXPIRETIME": 5, "PTTL": 5000, "PEXPIRETIME": 5000}
	return max(c.tolerance, deadline[strings.ToUpper(c.args[0])])
}

func differFromWanted(c call, protocol string, redis, lethe testkit.Reply) string {
	want, given := c.want[protocol]
	if !given {
		return "the script does not say what Lethe answers; it answers " + show(lethe.Raw)
	}
	if c.how == except && bytes.Equal(redis.Raw, lethe.Raw) {
		return "the two answer the same: leave out @except"
	}
	if c.near {
		var n int64
		if _, err := fmt.Sscanf(want, ":%d", &n); err == nil && lethe.Type == ':' && within(n, lethe.Int, c.slack()) {
			return ""
		}
	}
	if anyNumber(want).Match(lethe.Raw) {
		return ""
	}
	return "want  " + show([]byte(want)) + "\n    lethe " + show(lethe.Raw)
}

// anyNumber matches want, in which :ANY stands for any number.
func anyNumber(want string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), ":ANY", ":[0-9]+") + "$")
}

func bothReplies(redis, lethe testkit.Reply) string {
	return "redis " + show(redis.Raw) + "\n    lethe " + show(lethe.Raw)
}

// show quotes a reply, cut where it is long.
func show(raw []byte) string {
	const most = 600
	if len(raw) > most {
		return fmt.Sprintf("%q... (%d bytes)", raw[:most], len(raw))
	}
	return fmt.Sprintf("%q", raw)
}

func within(a, b, tolerance int64) bool { return max(a, b)-min(a, b) <= tolerance }

// sortedElements returns the elements of an aggregate, so many at a time taken together, in an order of their own. A map
// has pairs whatever is asked for. A reply in two parts, as SCAN's, gives its first part and the elements of its second.
func sortedElements(r testkit.Reply, together int) []string {
	elems := r.Elems
	out := []string{fmt.Sprintf("%c%d%t", r.Type, len(elems), r.Null)}
	if len(elems) == 2 && elems[0].Type == '$' && elems[1].Type == '*' {
		out = append(out, canonical(elems[0]), fmt.Sprintf("%c%d", elems[1].Type, len(elems[1].Elems)))
		elems = elems[1].Elems
	}
	switch {
	case r.Type == '%':
		together = 2
	case len(elems) > 0 && elems[0].Type == '*':
		together = 1 // the pairs are arrays themselves
	}
	var groups []string
	for group := range slices.Chunk(elems, together) {
		var b strings.Builder
		for _, v := range group {
			b.WriteString(canonical(v))
		}
		groups = append(groups, b.String())
	}
	slices.Sort(groups)
	return append(out, groups...)
}

// canonical is a value as text: equal for equal values.
func canonical(v resp.Value) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%c%t%q%d(", v.Type, v.Null, v.Str, v.Int)
	for _, e := range v.Elems {
		b.WriteString(canonical(e))
	}
	b.WriteByte(')')
	return b.String()
}

// sameShape reports whether two values have the same types and numbers of elements.
func sameShape(a, b resp.Value) bool {
	if a.Type != b.Type || a.Null != b.Null || len(a.Elems) != len(b.Elems) {
		return false
	}
	for i := range a.Elems {
		if !sameShape(a.Elems[i], b.Elems[i]) {
			return false
		}
	}
	return true
}
