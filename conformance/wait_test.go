package conformance

import (
	"strconv"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// WAIT for replicas without a time-out waits for ever, as on a Redis that has none, until somebody unblocks it.
func TestWaitForReplicasIsUnblocked(t *testing.T) {
	t.Parallel()
	rules := "+@all ~* &*"
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: rules}}})
	waiting, other := l.Dial(t, reader), l.Dial(t, reader)
	id := strconv.FormatInt(waiting.Do("CLIENT", "ID").Int, 10)
	for end, want := range map[string]string{"TIMEOUT": "", "ERROR": "UNBLOCKED client unblocked via CLIENT UNBLOCK"} {
		waiting.Send(testkit.Command("WAIT", "1", "0"))
		until := time.Now().Add(patience)
		for other.Do("CLIENT", "UNBLOCK", id, end).Int == 0 { // it may not wait yet
			if time.Now().After(until) {
				t.Fatal("nobody waits")
			}
		}
		r, err := waiting.Receive(patience)
		if err != nil || r.Int != 0 || r.IsError() != (want != "") || string(r.Str) != want {
			t.Errorf("%s: %q, %d, %v", end, r.Str, r.Int, err)
		}
	}
}
