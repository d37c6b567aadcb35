package server

import (
	"errors"
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// takeDescriptor takes the socket out of Go's own poller: the loop watches it, and being watched twice would cost a wake-up
// of the runtime for every request.
func takeDescriptor(tcp *net.TCPConn) (int, error) {
	defer tcp.Close()
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(original uintptr) {
		fd, dupErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(err, dupErr)
}

func closeDescriptor(fd int) { unix.Close(fd) }

// A call that does not wait is not announced to the runtime, as long as it is short: the announcement, and what the runtime's
// monitor makes of a loop that seems to wait, cost a twentieth of a pipeline of small commands. The collector may have to
// wait for such a call, some microseconds.

// shortCall is how many bytes a call may move to count as short.
const shortCall = 64 << 10

func readDescriptor(fd int, p []byte) (int, error) {
	for {
		n, err := move(unix.SYS_READ, fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errWouldBlock
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func writeDescriptor(fd int, p []byte) (int, error) {
	for {
		n, err := move(unix.SYS_WRITE, fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errWouldBlock
		default:
			return n, err
		}
	}
}

// move is read or write on a descriptor that does not block.
func move(trap uintptr, fd int, p []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if len(p) <= shortCall {
		n, _, errno = unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	} else {
		n, _, errno = unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	}
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
