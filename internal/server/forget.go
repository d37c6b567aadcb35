package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"time"
	"unsafe"
)

// crypto/tls decrypts records in place, in a private bytes.Buffer of the connection (rawInput), which it neither clears
// nor shrinks (golang/go issue 43563). A request would stay readable there until the connection's next one. forget
// overwrites what the connection has handed out; it reaches the buffer by the offset of the field, which checkForget
// proves at every start on a real connection: a Go version in which this is no longer true is refused, not guessed at.

// rawInputOffset is where tls.Conn keeps rawInput, or -1.
var rawInputOffset = func() int {
	field, ok := reflect.TypeFor[tls.Conn]().FieldByName("rawInput")
	if !ok || field.Type != reflect.TypeFor[bytes.Buffer]() {
		return -1
	}
	return int(field.Offset)
}()

// bufferLayout is how bytes.Buffer begins.
type bufferLayout struct {
	buf []byte
	off int
}

// rawInput returns the connection's private buffer.
func rawInput(c *tls.Conn) *bufferLayout {
	return (*bufferLayout)(unsafe.Add(unsafe.Pointer(c), rawInputOffset))
}

// forget overwrites the records that the connection has decrypted and handed out whole. It must be called by the
// goroutine that reads the connection, when Read has returned all of a record; what has arrived beyond it is still
// encrypted and stays.
func forget(c *tls.Conn) {
	b := rawInput(c)
	clear(b.buf[:b.off])
}

// errForget says that forget does not work with the Go version of this build.
var errForget = errors.New("this Go version keeps decrypted TLS records where Lethe cannot overwrite them; build with one that docs/dependencies.md names")

// checkForget passes a record through a real connection and looks for it in the private buffer, before and after.
func checkForget() error {
	field, ok := reflect.TypeFor[bytes.Buffer]().FieldByName("buf")
	off, okOff := reflect.TypeFor[bytes.Buffer]().FieldByName("off")
	if rawInputOffset < 0 || !ok || !okOff || field.Offset != unsafe.Offsetof(bufferLayout{}.buf) ||
		off.Offset != unsafe.Offsetof(bufferLayout{}.off) || off.Type.Kind() != reflect.Int {
		return errForget
	}
	mark := []byte("lethe: a record that must be forgotten")
	server, client, err := loopback()
	if err != nil {
		return err
	}
	defer server.NetConn().Close()
	defer client.NetConn().Close()
	go client.Write(mark)
	got := make([]byte, 64)
	n, err := io.ReadAtLeast(server, got, len(mark))
	if err != nil || !bytes.Equal(got[:n], mark) {
		return errForget
	}
	b := rawInput(server)
	held := func() bool { return bytes.Contains(b.buf[:cap(b.buf)], mark) }
	if !held() {
		return errForget // it is somewhere else
	}
	forget(server)
	if held() {
		return errForget
	}
	return nil
}

// loopback returns both ends of a TLS 1.3 connection inside the process.
func loopback() (server, client *tls.Conn, err error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, nil, err
	}
	a, b := net.Pipe()
	deadline := time.Now().Add(10 * time.Second)
	a.SetDeadline(deadline)
	b.SetDeadline(deadline)
	server = tls.Server(&probe{Conn: a}, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true})
	client = tls.Client(b, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}) // both ends are this function's
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(server.Handshake(), <-shaken); err != nil {
		return nil, nil, err
	}
	return server, client, nil
}
