package audit_test

import (
	"bufio"
	"math/rand/v2"
	"strconv"
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
