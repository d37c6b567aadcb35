package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
)

// process is a server that the bench started.
type process struct {
	name   string
	cmd    *exec.Cmd
	stderr bytes.Buffer // read it after ended only
	ready  chan string  // the line that says so; closed when the output ends
	ended  chan struct{}
}

// startProcess starts a server and returns it with the line of its standard output that says that it serves, which ready
// recognises.
func startProcess(ctx context.Context, name string, cmd *exec.Cmd, ready func(line string) bool) (*process, string, error) {
	p := &process{name: name, cmd: cmd, ready: make(chan string, 1), ended: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("cannot start %s: %w", name, err)
	}
	p.cmd.Stderr = &p.stderr
	// A bench that is killed takes its servers with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("cannot start %s: %w", name, err)
	}
	go p.read(out, ready)
	line, err := p.awaitReady(ctx)
	if err != nil {
		p.stop()
		return nil, "", err
	}
	return p, line, nil
}

// read takes the standard output until it ends, and then waits for the process.
func (p *process) read(out io.Reader, ready func(string) bool) {
	lines := bufio.NewScanner(out)
	for told := false; lines.Scan(); {
		if !told && ready(lines.Text()) {
			told = true
			p.ready <- lines.Text()
		}
	}
	close(p.ready)
	_ = p.cmd.Wait() // whoever minds how it ended sees that it did not serve
	close(p.ended)
}

func (p *process) awaitReady(ctx context.Context) (string, error) {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case line, ok := <-p.ready:
		if ok {
			return line, nil
		}
		<-p.ended
		return "", fmt.Errorf("%s ended before it was ready:\n%s", p.name, p.stderr.String())
	case <-timeout.C:
		return "", fmt.Errorf("%s was not ready in %v", p.name, startTimeout)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// stop ends the process, in peace if it can.
func (p *process) stop() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-p.ended
		return
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.ended:
	case <-timeout.C:
		_ = p.cmd.Process.Kill() // fails only when it has ended meanwhile
		<-p.ended
	}
}

// firstLine runs a program and returns the first line that it prints.
func firstLine(ctx context.Context, path string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		return "", fmt.Errorf("cannot run %s: %w", path, withStderr(err))
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line), nil
}

// withStderr adds what a program that failed wrote to its standard error.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return err
}
