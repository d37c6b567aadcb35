package server

import "golang.org/x/sys/unix"

// register makes a connection known to its loop; nothing is watched yet. It runs in the handshake's goroutine.
func (l *loop) register(c *conn) error {
	added := make(chan error, 1)
	l.post(func() {
		fd := c.socket.fd
		for fd >= len(l.conns) {
			l.conns = append(l.conns, nil)
		}
		l.conns[fd] = c
		added <- unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: int32(fd)})
	})
	select {
	case err := <-added:
		return err
	case <-l.ended:
		return errWouldBlock
	}
}

// watchOnce asks for one event when there is something to read. It runs in the handshake's goroutine.
func (l *loop) watchOnce(c *conn) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.socket.fd,
		&unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(c.socket.fd)})
}

// watch sets what the loop is told about a connection: input unless it has too much to take first, output while there is
// some waiting.
func (l *loop) watch(c *conn) {
	if c.closed {
		return
	}
	var events uint32
	if !c.closing && !c.waiting && len(c.socket.backlog) <= backlogPause {
		events |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if c.waiting && !c.closing {
		events |= unix.EPOLLRDHUP
		if !c.ahead {
			events |= unix.EPOLLIN
		}
	}
	if len(c.socket.backlog) > 0 {
		events |= unix.EPOLLOUT
	}
	if events == c.events {
		return
	}
	c.events = events
	fd := c.socket.fd
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		l.close(c, "cannot watch the connection")
	}
}

// forgetDescriptor closes a connection's socket and forgets it.
func (l *loop) forgetDescriptor(c *conn) {
	if c.closed {
		return
	}
	c.closed = true
	l.closeDescriptor(c)
}

func (l *loop) closeDescriptor(c *conn) {
	fd := c.socket.fd
	if fd < len(l.conns) && l.conns[fd] == c {
		l.conns[fd] = nil
	}
	unix.Close(fd)
}
