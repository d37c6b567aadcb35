package conformance

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// The balancer of these tests connects from an address of its own; every other address of this machine is a client's.
const (
	balancer = "127.0.0.2"
	stranger = "127.0.0.3"
)

// proxyHeader is a PROXY header of version 2 about an IPv4 client; an empty client is the balancer's own health check.
func proxyHeader(client string, port uint16) []byte {
	h := []byte("\r\n\r\n\x00\r\nQUIT\n")
	if client == "" {
		return append(h, 0x20, 0x00, 0, 0)
	}
	h = append(h, 0x21, 0x11, 0, 12)
	h = append(h, net.ParseIP(client).To4()...)
	h = append(h, 192, 0, 2, 1)
	h = binary.BigEndian.AppendUint16(h, port)
	return binary.BigEndian.AppendUint16(h, 6380)
}

// prefixed sends a text in front of the first bytes that are written, piece by piece where it is told to.
type prefixed struct {
	net.Conn
	text   []byte
	pieces bool
}

func (p *prefixed) Write(b []byte) (int, error) {
	first := append(p.text, b...)
	if p.text = nil; p.pieces {
		for i := range len(first) - len(b) {
			if _, err := p.Conn.Write(first[i : i+1]); err != nil {
				return 0, err
			}
		}
		first, p.pieces = b, false
	}
	if _, err := p.Conn.Write(first); err != nil {
		return 0, err
	}
	return len(b), nil
}

// through opens a TLS connection from an address behind a header, logs a user in and returns CLIENT INFO; an error means
// that there was no connection, a reply that begins with - that there was no login.
func through(t *testing.T, lethe *testkit.Lethe, from string, header []byte, pieces bool, user string) (string, error) {
	t.Helper()
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	plain, err := dialer.Dial("tcp", lethe.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := plain.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(&prefixed{plain, header, pieces}, lethe.TLS())
	request := append(testkit.Command("AUTH", user, lethe.Tokens[user]), testkit.Command("CLIENT", "INFO")...)
	if _, err := conn.Write(append(request, testkit.Command("QUIT")...)); err != nil {
		return "", err
	}
	var reply bytes.Buffer
	_, err = reply.ReadFrom(conn)
	return reply.String(), err
}

// G3, G4: the address that is recorded and held against a user's ranges is the client's own where a balancer that the
// settings name tells it, and nobody else is believed.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	lethe := testkit.StartLethe(t, testkit.LetheOptions{
		Users: []testkit.User{{Name: "app", Tenants: []string{"TENANT001"}}, {Name: "near", Tenants: []string{"TENANT001"}}},
		Flags: []string{"--proxy-from", balancer},
	})
	if _, stderr, code := lethe.CLI(t, "", "user", "set", "near", "--sources", "198.51.100.0/24"); code != 0 {
		t.Fatal(stderr)
	}
	client := proxyHeader("198.51.100.7", 4321)
	f := func(what, from string, header []byte, user, want string) {
		t.Helper()
		for _, pieces := range []bool{false, true} {
			got, err := through(t, lethe, from, header, pieces, user)
			switch {
			case want == "":
				if err == nil && got != "" {
					t.Errorf("%s: there is a connection: %q", what, got)
				}
			case err != nil || !strings.Contains(got, want):
				t.Errorf("%s: %q (%v), want %s", what, got, err, want)
			}
		}
	}
	f("a balancer's client", balancer, client, "app", " addr=198.51.100.7:4321 ")
	f("a balancer's own check", balancer, proxyHeader("", 0), "app", " addr="+balancer+":")
	f("a balancer without a header", balancer, nil, "app", "")
	f("version 1", balancer, []byte("PROXY TCP4 198.51.100.7 192.0.2.1 4321 6380\r\n"), "app", "")
	f("a header that is cut", balancer, client[:14], "app", "")
	f("a header with a length that it has not", balancer, append(bytes.Clone(client[:14]), 0xff, 0xff), "app", "")
	f("two headers", balancer, append(bytes.Clone(client), client...), "app", "")
	f("anybody", stranger, nil, "app", " addr="+stranger+":")
	f("anybody with a header", stranger, client, "app", "")

	f("a user's range, from the client", balancer, client, "near", " addr=198.51.100.7:4321 ")
	f("a user's range, from another", balancer, proxyHeader("203.0.113.7", 1), "near", "-WRONGPASS ")
	f("a user's range, from the balancer", balancer, proxyHeader("", 0), "near", "-WRONGPASS ")
}
