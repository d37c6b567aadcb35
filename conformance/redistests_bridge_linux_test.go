package conformance

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// orderedBridge lets Redis's test suite, which speaks neither TLS nor AUTH, use a lethe. What its clients send is passed on
// one piece after another in the order in which it came, whichever client sent it: the suite takes it for granted that what
// one client sent first runs first, as it does where all of them talk to one thread.
type orderedBridge struct {
	port   int
	login  []byte // what makes a connection the user's
	dial   func() (*tls.Conn, error)
	events int // epoll
	listen int
	conns  map[int]*bridged
}

// bridged is one client. Only the bridge's loop reads from plain, and only forward's goroutine writes to secure.
type bridged struct {
	plain     int
	secure    *tls.Conn
	send      chan piece
	ended     chan struct{} // closed when the server knows that the client has gone
	loggedOut atomic.Bool   // RESET was sent, and a new login behind it
}

// piece is what a client sent at once; sent is closed when it is on its way.
type piece struct {
	bytes []byte
	sent  chan struct{}
}

// A Redis without a password takes back everybody who sends RESET. Here the bridge logs in again.
const (
	resetRequest = "*1\r\n$5\r\nreset\r\n"
	loginAnswer  = "+OK\r\n"
)

// newOrderedBridge listens on a free port of loopback for as long as the process runs. Connections are the user's; with ""
// they are nobody's, and the suite itself logs in.
func newOrderedBridge(l *testkit.Lethe, user string) (*orderedBridge, error) {
	b := &orderedBridge{conns: map[int]*bridged{}}
	if user != "" {
		b.login = testkit.Command("AUTH", user, l.Tokens[user])
	}
	b.dial = func() (*tls.Conn, error) { return tls.Dial("tcp", l.Addr, l.TLS()) }
	var err error
	if b.listen, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if err := unix.Bind(b.listen, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	if err := unix.Listen(b.listen, 1024); err != nil {
		return nil, err
	}
	at, err := unix.Getsockname(b.listen)
	if err != nil {
		return nil, err
	}
	b.port = at.(*unix.SockaddrInet4).Port
	if b.events, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	go b.run()
	return b, b.watch(b.listen)
}

func (b *orderedBridge) watch(fd int) error {
	return unix.EpollCtl(b.events, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (b *orderedBridge) run() {
	ready := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(b.events, ready, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		for _, e := range ready[:max(n, 0)] {
			if c := b.conns[int(e.Fd)]; c != nil {
				b.pass(c)
			} else if int(e.Fd) == b.listen {
				b.accept()
			}
		}
	}
}

func (b *orderedBridge) accept() {
	fd, _, err := unix.Accept4(b.listen, unix.SOCK_CLOEXEC)
	if err != nil {
		return
	}
	secure, err := b.connect()
	if err != nil || b.watch(fd) != nil {
		unix.Close(fd)
		return
	}
	c := &bridged{plain: fd, secure: secure, send: make(chan piece, 1<<16), ended: make(chan struct{})}
	b.conns[fd] = c
	replied := make(chan struct{})
	go c.forward(replied)
	go c.reply(replied)
}

func (b *orderedBridge) connect() (*tls.Conn, error) {
	secure, err := b.dial()
	if err != nil || b.login == nil {
		return secure, err
	}
	if _, err := secure.Write(b.login); err != nil {
		return nil, err
	}
	answer := make([]byte, len(loginAnswer))
	if _, err := io.ReadFull(secure, answer); err != nil {
		return nil, err
	}
	if string(answer) != loginAnswer {
		return nil, errors.New("cannot log in")
	}
	return secure, nil
}

// pass takes what a client sent and waits a moment until it is on its way: a server that does not read from one client
// must not keep the others waiting.
func (b *orderedBridge) pass(c *bridged) {
	p := piece{make([]byte, 64<<10), make(chan struct{})}
	n, _, err := unix.Recvfrom(c.plain, p.bytes, unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return
	}
	if err != nil || n <= 0 {
		unix.EpollCtl(b.events, unix.EPOLL_CTL_DEL, c.plain, nil)
		delete(b.conns, c.plain)
		close(c.send)
		await(c.ended, time.Second) // or else it counts among those who wait when the next client asks how many do
		return
	}
	p.bytes = p.bytes[:n]
	if b.login != nil && bytes.EqualFold(p.bytes, []byte(resetRequest)) {
		p.bytes = append(p.bytes, b.login...)
		c.loggedOut.Store(true)
	}
	c.send <- p
	await(p.sent, 50*time.Millisecond)
}

// await waits until a channel is closed, but no longer than so.
func await(done chan struct{}, longest time.Duration) {
	patience := time.NewTimer(longest)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}

// forward sends to the server what comes, and ends the connection when the client has and was answered.
func (c *bridged) forward(replied chan struct{}) {
	for p := range c.send {
		c.secure.Write(p.bytes)
		close(p.sent)
	}
	c.secure.CloseWrite()
	await(replied, time.Second)
	c.secure.Close()
	<-replied
	close(c.ended)
	unix.Close(c.plain)
}

// reply gives the client what the server answers, until one of the two has closed.
func (c *bridged) reply(replied chan struct{}) {
	defer close(replied)
	defer unix.Shutdown(c.plain, unix.SHUT_RDWR) // the loop sees it, and ends the rest
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.secure.Read(buffer)
		part := buffer[:n]
		if c.loggedOut.Load() {
			if rest, found := bytes.CutSuffix(part, []byte(loginAnswer)); found {
				part = rest
				c.loggedOut.Store(false)
			}
		}
		if !c.give(part) || err != nil {
			return
		}
	}
}

func (c *bridged) give(part []byte) bool {
	for len(part) > 0 {
		n, err := unix.SendmsgN(c.plain, part, nil, nil, unix.MSG_NOSIGNAL)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return false
		}
		part = part[n:]
	}
	return true
}
