package upstream

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connection below TLS. Once it blocks, whoever reads waits in the system call itself: the runtime's poller would
// make three calls, and two changes of goroutines, out of one wait. It is used by one goroutine at a time from then on.
type socket struct {
	net.Conn
	fd int // -1 until it blocks, and when it is closed
	by time.Time
}

func newSocket(c net.Conn) *socket { return &socket{Conn: c, fd: -1} }

// waitTime is how long a call waits before it looks whether the deadline has passed.
const waitTime = 25 * time.Millisecond

// block makes reads and writes block. Where that is not possible the socket stays what it was.
func (s *socket) block() {
	under, ok := s.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := under.SyscallConn()
	if err != nil {
		return
	}
	fd := -1
	if raw.Control(func(from uintptr) { fd, err = blocking(from) }) != nil || err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return
	}
	s.Conn.Close() // takes it out of the poller; the descriptor is another
	s.fd = fd
}

// blocking returns another descriptor of a socket, which waits.
func blocking(from uintptr) (fd int, err error) {
	if fd, err = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return -1, err
	}
	wait := unix.NsecToTimeval(int64(waitTime))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &wait); err != nil {
			return fd, err
		}
	}
	return fd, unix.SetNonblock(fd, false)
}

func (s *socket) Read(p []byte) (int, error) {
	if s.fd < 0 {
		return s.Conn.Read(p)
	}
	for {
		n, err := unix.Read(s.fd, p)
		switch {
		case n > 0:
			return n, nil
		case err == nil && len(p) > 0:
			return 0, io.EOF
		}
		if err := s.again(err); err != nil {
			return 0, err
		}
	}
}

func (s *socket) Write(p []byte) (sent int, err error) {
	if s.fd < 0 {
		return s.Conn.Write(p)
	}
	for sent < len(p) {
		n, err := unix.Write(s.fd, p[sent:])
		sent += max(n, 0)
		if err := s.again(err); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// again says of the outcome of a call whether it ends what was asked for.
func (s *socket) again(err error) error {
	switch {
	case err == nil, err == unix.EINTR: // signals interrupt calls that wait for a time
		return nil
	case err != unix.EAGAIN:
		return fmt.Errorf("cannot talk to the upstream: %w", err)
	case !s.by.IsZero() && !time.Now().Before(s.by):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// SetDeadline ends calls at an instant, or up to waitTime later.
func (s *socket) SetDeadline(by time.Time) error {
	s.by = by
	if s.fd < 0 {
		return s.Conn.SetDeadline(by)
	}
	return nil
}

func (s *socket) Close() error {
	if s.fd < 0 {
		return s.Conn.Close() // again, at times, which is an error that nobody minds
	}
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}
