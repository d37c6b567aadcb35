package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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

// startListening starts a server that says nothing when it serves, and waits until it takes connections.
func startListening(ctx context.Context, name, addr string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stderr, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // see read
		close(p.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return p, conn.Close()
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s ended before it was ready:\n%s", name, p.stderr.String())
		case <-ctx.Done():
			p.stop()
			return nil, fmt.Errorf("%s was not ready in %v", name, startTimeout)
		case <-time.After(10 * time.Millisecond):
		}
	}
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
