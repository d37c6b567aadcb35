package gateway_test

import (
	"strings"
	"testing"
)

// A fault in a step around a handler costs its connection and nothing more: the command is answered with an error, what it answered
// before is not sent, and the record says that it failed.
func TestAFaultOfAStepEndsOneConnection(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, h *harness, round func(calls ...string) string) {
		t.Helper()
		h.gateway.Table.Find("APPEND").Room = func([][]byte) int64 { panic("BUG: a test's") }
		h.gateway.Table.Find("XADD").GetKeys = func(args [][]byte) ([]int, bool) { return []int{len(args)}, true }
		round("SET TENANT001:patient:1 v")
		for i, call := range []string{"APPEND TENANT001:patient:1 w", "XADD TENANT001:patient:2 * f v"} {
			got := round("GET TENANT001:patient:1", call)
			if want := "$1\r\nv\r\n-ERR internal error; see the server's log\r\n"; got != want {
				t.Errorf("%s: %q, want %q", call, got, want)
			}
			if n := h.gateway.Stats.Panics(); n != uint64(i+1) {
				t.Errorf("%s: %d faults are counted", call, n)
			}
		}
		if got := strings.Join(append(h.events("APPEND"), h.events("XADD")...), "; "); got != "write failed  fault; write failed  fault" {
			t.Errorf("records: %s", got)
		}
	}
	t.Run("engine", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		check(t, h, func(calls ...string) (all string) {
			for _, call := range calls {
				all += h.do(call)
			}
			return all
		})
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		f := newFront(t)
		check(t, f.harness, f.round)
	})
}
