package audit_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

// A process that is killed at any moment leaves a whole chain, and every record that it acknowledged is in it.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, durability := range []string{"process", "disk"} {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			dir := auditDir(t)
			acknowledged := map[int]bool{}
			for range 20 {
				killOnce(t, dir, durability, acknowledged)
				wholeLog(t, dir) // as it was left, before anything mends it
			}
			if len(acknowledged) == 0 {
				t.Fatal("nothing was acknowledged")
			}
			written := map[string]bool{}
			for _, e := range events(t, dir, audit.Query{Action: audit.Read}) {
				written[string(e.Subject)] = true
			}
			for n := range acknowledged {
				for i := range 100 {
					if !written[strconv.Itoa(n+i)] {
						t.Fatalf("record %d was acknowledged and is lost", n+i)
					}
				}
			}
			closeLog(t, openLog(t, dir, testOptions()))
			if r := wholeLog(t, dir); r.TornBytes != 0 || r.Segments < 21 {
				t.Errorf("after the last start the report is %+v", r)
			}
		})
	}
}

// A frame that was never finished, as a crash leaves it (no length), and as a loss of power may (a length and half the
// rest), is reported, is no finding, and is cleared by the next start, which says so.
func TestTornFrame(t *testing.T) {
	t.Parallel()
	f := func(torn []byte) {
		t.Helper()
		dir := auditDir(t)
		l := openLog(t, dir, testOptions())
		commit(t, l, 0, 5)
		crashed := readLog(t, dir)
		at := audit.FrameOffsets(crashed[segment(1)])
		copy(crashed[segment(1)][at[len(at)-1]:], torn)
		image := auditDir(t)
		crashed.write(t, image)
		if r := wholeLog(t, image); r.TornBytes != len(torn) {
			t.Errorf("%d bytes are torn, want %d", r.TornBytes, len(torn))
		}
		if n := len(events(t, image, audit.Query{Action: audit.Read})); n != 5 {
			t.Errorf("%d records of 5 are there", n)
		}
		closeLog(t, openLog(t, image, testOptions()))
		if r := wholeLog(t, image); r.TornBytes != 0 || r.Segments != 2 {
			t.Errorf("after a start the report is %+v", r)
		}
		if got := recoveries(t, image); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf("torn=%d ", len(torn))) {
			t.Errorf("the log says of the crash %q", got)
		}
	}
	f([]byte{0, 0, 0, 0, 1, 0, 3, 0, 9, 9, 9})
	f([]byte{200, 0, 0, 0, 1, 0, 3, 0, 9, 9, 9})
	f([]byte{1, 2, 3, 4, 1, 0, 3, 0, 9, 9, 9})
	f([]byte{255, 255, 255, 255, 1})
}

// killOnce runs a writer, kills it after a random number of acknowledgements and notes all of them.
func killOnce(t *testing.T, dir, durability string, acknowledged map[int]bool) {
	t.Helper()
	c := child("acknowledge", dir)
	c.Args = []string{durability}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	most := 400
	if durability == "disk" {
		most = 40
	}
	killAt, seen := 1+rand.IntN(most), 0
	readLines(bufio.NewReader(out), func(line string) {
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Errorf("the writer said %q", line)
		}
		acknowledged[n] = true
		if seen++; seen == killAt {
			_ = c.Process.Kill()
		}
	})
	_ = c.Wait() // it was killed
	if seen < killAt {
		t.Fatalf("the writer ended by itself after %d commits", seen)
	}
}
