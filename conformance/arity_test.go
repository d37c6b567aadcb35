package conformance

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// Every command with too few arguments, and with one too many where their number is fixed, gives Redis's error. Commands
// that Debian's redis-server does not know are left out.
func TestArityOfEveryCommand(t *testing.T) {
	t.Parallel()
	startPair(t).arities(t)
}

// So it does in front of an upstream, where requests are kept otherwise.
func TestArityOfEveryCommandInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, singleTenant)
	p.arities(t)
}

func (p *pair) arities(t *testing.T) {
	t.Helper()
	d := p.dial(t, "2")
	for _, spec := range command.NewTable().Specs() {
		if spec.Run == nil || !known(d, spec) {
			continue
		}
		for _, n := range wrongCounts(spec) {
			c := call{args: strings.Split(spec.RecordName(), "|")}
			for len(c.args) < n {
				c.args = append(c.args, "x")
			}
			if problem := d.run(c); problem != "" {
				t.Errorf("%q\n    %s", c.args, problem)
			}
		}
	}
}

// wrongCounts returns numbers of arguments that do not fit. None of them may be too few to name the command.
func wrongCounts(spec *command.Spec) []int {
	name := 1 + strings.Count(spec.RecordName(), "|")
	most, fixed := spec.Arity, spec.Arity > 0
	if !fixed {
		most = -most
	}
	var out []int
	for n := name; n < most; n++ {
		out = append(out, n)
	}
	if fixed {
		out = append(out, most+1)
	}
	return out
}

// known reports whether the reference knows a command.
func known(d *duo, spec *command.Spec) bool {
	r := d.redis.Do("COMMAND", "INFO", spec.FullName())
	return len(r.Elems) == 1 && !r.Elems[0].Null
}
