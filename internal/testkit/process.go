package testkit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second // generous: a machine that runs many tests at once is slow
	stopTimeout  = 60 * time.Second
)

// process is a server that was started by a test.
type process struct {
	name   string
	cmd    *exec.Cmd
	stderr buffer
	ready  chan string   // the line that says so; closed when the output ends
	ended  chan struct{} // closed when the process has
	err    error         // how it ended; read it after ended
	asked  bool          // to end, by the test
}

// startProcess starts cmd. The line of its standard output that ready recognises is passed on.
func startProcess(t testing.TB, name string, cmd *exec.Cmd, ready func(line string) bool) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, ready: make(chan string, 1), ended: make(chan struct{})}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("cannot start %s: %v", name, err)
	}
	cmd.Stderr = &p.stderr
	// A test binary that is killed takes its servers with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s: %v", name, err)
	}
	go p.read(out, ready)
	t.Cleanup(func() { p.stop(t) })
	return p
}

// read takes the standard output until it ends, and then waits for the process.
func (p *process) read(out io.Reader, ready func(string) bool) {
	lines := bufio.NewScanner(out)
	told := false
	for lines.Scan() {
		if !told && ready(lines.Text()) {
			told = true
			p.ready <- lines.Text()
		}
	}
	close(p.ready)
	p.err = p.cmd.Wait()
	close(p.ended)
}

// awaitReady returns the line that told that the process serves; the test fails if there is none in time.
func (p *process) awaitReady(t testing.TB) string {
	t.Helper()
	select {
	case line, ok := <-p.ready:
		if ok {
			return line
		}
		<-p.ended
		p.asked = true // stop has nothing to add to this
		t.Fatalf("%s ended before it was ready: %v\n%s", p.name, p.err, p.stderr.String())
	case <-time.After(startTimeout):
		t.Fatalf("%s was not ready in %v\n%s", p.name, startTimeout, p.stderr.String())
	}
	return ""
}

// stop ends the process by SIGTERM, or by SIGKILL when that takes too long. It is a failure of the test if the process had
// ended before by itself.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if p.asked {
		return
	}
	p.asked = true
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-p.ended
		t.Errorf("%s ended by itself: %v\n%s", p.name, p.err, p.stderr.String())
		return
	}
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
		t.Errorf("%s did not end within %v of SIGTERM", p.name, stopTimeout)
	}
}

// kill ends the process as a crash does: at once, without a chance to tidy up.
func (p *process) kill(t testing.TB) {
	t.Helper()
	p.asked = true
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("cannot kill %s: %v", p.name, err)
	}
	<-p.ended
}

// awaitKilled waits until the process has ended by SIGKILL; the test fails where it does not, or ends in another way.
func (p *process) awaitKilled(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Fatalf("%s has not ended in %v", p.name, within)
	}
	p.asked = true
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s ended in another way: %v\n%s", p.name, p.err, p.stderr.String())
	}
}

// buffer keeps what a process writes, for reading while it writes.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// complaint returns the panic, fatal error or data race that a Go program's standard error tells of, "" for none.
func complaint(stderr string) string {
	for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: ", "a command handler failed", "BUG:"} {
		if at := strings.Index(stderr, sign); at >= 0 {
			return stderr[at:min(len(stderr), at+4000)]
		}
	}
	return ""
}
