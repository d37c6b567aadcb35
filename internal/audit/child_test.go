package audit_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/audit"
)

// The test binary is also the process that is killed, limited or made a stranger: the variable says as what it runs.
const childVariable = "LETHE_AUDIT_TEST_CHILD"

func TestMain(m *testing.M) {
	switch as, dir, _ := strings.Cut(os.Getenv(childVariable), ":"); as {
	case "":
		os.Exit(m.Run())
	case "acknowledge":
		acknowledge(dir)
	case "limited":
		limited(dir)
	case "write":
		write(dir)
	case "read":
		read(dir)
	case "unprivileged":
		unprivileged(dir)
	default:
		die("unknown child", as)
	}
}

func die(what ...any) {
	fmt.Fprintln(os.Stderr, what...)
	os.Exit(3)
}

// child is the command that runs this binary as something else.
func child(as, dir string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+as+":"+dir)
	c.Stderr = os.Stderr
	return c
}

// acknowledge commits from several goroutines until it is killed, and writes the number of each commit to standard output
// only after it succeeded, as a server would answer.
func acknowledge(dir string) {
	o := testOptions()
	o.CheckpointEvery = 5 * time.Millisecond
	if strings.HasSuffix(os.Args[0], "disk") {
		o.Durability = audit.Disk
	}
	l, err := audit.Open(dir, o)
	if err != nil {
		die(err)
	}
	var number atomic.Int64
	number.Store(int64(os.Getpid()) * 1_000_000)
	var out sync.Mutex
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var b audit.Batch
			actor := testActor()
			for {
				n := int(number.Add(100))
				for i := range 100 {
					r := testRecord(actor, n+i)
					b.Add(&r)
				}
				if err := l.Commit(&b); err != nil {
					die(err)
				}
				out.Lock()
				fmt.Println(n)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// limited runs with a limit on the size of its files, which stands for a full disk: the kernel refuses to allocate. It
// talks with its parent line by line.
func limited(dir string) {
	signal.Ignore(unix.SIGXFSZ)
	l, err := audit.Open(dir, testOptions())
	if err != nil {
		die(err)
	}
	waitFor("a prepared segment", l.Prepared)
	limit(1 << 19)
	accepted := commitUntilRefused(l)
	fmt.Println("refused", accepted, l.Ready(), l.Stats().LastError != "")
	limit(unix.RLIM_INFINITY)
	waitFor("service to resume", l.Ready)
	fmt.Println("resumed", l.Stats().Outages)
	if err := l.Close(); err != nil {
		die(err)
	}
}

// unprivileged loses the right to write to its directory and gets it back.
func unprivileged(dir string) {
	l, err := audit.Open(dir, testOptions())
	if err != nil {
		die(err)
	}
	waitFor("a prepared segment", l.Prepared)
	if err := os.Chmod(dir, 0o500); err != nil {
		die(err)
	}
	accepted := commitUntilRefused(l)
	fmt.Println("refused", accepted, l.Ready(), l.Stats().LastError != "")
	if err := os.Chmod(dir, 0o700); err != nil {
		die(err)
	}
	waitFor("service to resume", l.Ready)
	fmt.Println("resumed", l.Stats().Outages)
	if err := l.Close(); err != nil {
		die(err)
	}
}

// write writes ten records and closes the log.
func write(dir string) {
	l, err := audit.Open(dir, testOptions())
	if err != nil {
		die(err)
	}
	var b audit.Batch
	for i := range 10 {
		r := testRecord(testActor(), i)
		b.Add(&r)
	}
	if err := errors.Join(l.Commit(&b), l.Close()); err != nil {
		die(err)
	}
}

// read verifies and searches the log.
func read(dir string) {
	r, err := audit.Verify(dir, audit.VerifyOptions{})
	if err != nil || !r.OK() {
		die(err, r)
	}
	opener, err := audit.NewOpener(testOpeningKey())
	if err != nil {
		die(err)
	}
	names, err := audit.NewPseudonyms(opener)
	if err != nil {
		die(err)
	}
	err = audit.Search(dir, opener, audit.Query{}, func(e *audit.Event) error {
		_ = e.View(names, false)
		return nil
	})
	if err != nil {
		die(err)
	}
}

func limit(size uint64) {
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}); err != nil {
		die(err)
	}
}

// commitUntilRefused returns the number of records that were accepted.
func commitUntilRefused(l *audit.Log) int {
	var b audit.Batch
	actor := testActor()
	for n := 0; ; n += 500 {
		for i := range 500 {
			r := testRecord(actor, n+i)
			b.Add(&r)
		}
		if err := l.Commit(&b); err != nil {
			return n
		}
		if n > 1_000_000 {
			die("never refused")
		}
	}
}

func waitFor(what string, condition func() bool) {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			die("waited in vain for", what)
		}
	}
}

// readLines calls visit for each whole line; what stands behind the last line end was never finished and is left out.
func readLines(s *bufio.Reader, visit func(line string)) {
	for {
		line, err := s.ReadString('\n')
		if err != nil {
			return
		}
		visit(strings.TrimSuffix(line, "\n"))
	}
}
