package upstream

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// blockingPair returns the two ends of a unix socket, of which the first blocks.
func blockingPair(t *testing.T) (*socket, net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := newSocket(c)
	s.block()
	if s.fd < 0 {
		t.Fatal("the socket does not block")
	}
	t.Cleanup(func() { s.Close(); other.Close() })
	return s, other
}

func TestABlockingSocketCarriesWhatIsLargerThanItsBuffers(t *testing.T) {
	t.Parallel()
	s, other := blockingPair(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	back := make(chan error, 1)
	go func() {
		_, err := io.CopyN(other, other, int64(len(sent)))
		back <- err
	}()
	wrote := make(chan error, 1)
	go func() {
		_, err := s.Write(sent)
		wrote <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("what came back is another: %v", err)
	}
	if err := errors.Join(<-wrote, <-back); err != nil {
		t.Error(err)
	}
}

func TestABlockingSocketEnds(t *testing.T) {
	t.Parallel()
	s, other := blockingPair(t)
	buf := make([]byte, 16)
	if err := s.SetDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing came, and the error is %v", err)
	}
	other.Close()
	if _, err := s.Read(buf); err != io.EOF {
		t.Errorf("the other end closed, and the error is %v", err)
	}
	if s.Close() != nil {
		t.Error("it could not be closed")
	}
	if _, err := s.Read(buf); err == nil {
		t.Error("a closed socket was read")
	}
}
