package peer_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pires/go-proxyproto"

	"github.com/lethe-cache/lethe/internal/peer"
)

// header is what a balancer sends for a client at source.
func header(t *testing.T, command proxyproto.ProtocolVersionAndCommand, family proxyproto.AddressFamilyAndProtocol, source string) string {
	t.Helper()
	h := &proxyproto.Header{Version: 2, Command: command, TransportProtocol: family}
	if source != "" {
		a, err := net.ResolveTCPAddr("tcp", source)
		if err != nil {
			t.Fatal(err)
		}
		h.SourceAddr, h.DestinationAddr = a, a
		if family == proxyproto.UDPv4 {
			h.SourceAddr, h.DestinationAddr = &net.UDPAddr{IP: a.IP, Port: a.Port}, &net.UDPAddr{IP: a.IP, Port: a.Port}
		}
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseProxy(t *testing.T) {
	t.Parallel()
	f := func(what, bytes, wantSource string, wantErr error) {
		t.Helper()
		source, size, err := peer.ParseProxy([]byte(bytes + "\x16\x03\x01"))
		got := ""
		if source.IsValid() {
			got = source.String()
		}
		if !errors.Is(err, wantErr) || got != wantSource || err == nil && size != len(bytes) {
			t.Errorf("%s: %q, %d bytes, %v", what, got, size, err)
		}
	}
	v4 := header(t, proxyproto.PROXY, proxyproto.TCPv4, "192.0.2.7:5000")
	f("IPv4", v4, "192.0.2.7:5000", nil)
	f("IPv6", header(t, proxyproto.PROXY, proxyproto.TCPv6, "[2001:db8::7]:5000"), "[2001:db8::7]:5000", nil)
	f("a health check", header(t, proxyproto.LOCAL, proxyproto.UNSPEC, ""), "", nil)
	f("UDP", header(t, proxyproto.PROXY, proxyproto.UDPv4, "192.0.2.7:5000"), "", peer.ErrProxy)
	f("version 1", "PROXY TCP4 192.0.2.7 192.0.2.8 5000 6380\r\n", "", peer.ErrProxy)
	f("no header", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", peer.ErrProxy)
	f("too long", v4[:14]+"\xff\xff"+strings.Repeat("x", 70_000), "", peer.ErrProxy)
	f("another version", v4[:12]+"\x31"+v4[13:], "", peer.ErrProxy)
	f("another command", v4[:12]+"\x2f"+v4[13:], "", peer.ErrProxy)
	f("an address too few", v4[:14]+"\x00\x04"+v4[16:20], "", peer.ErrProxy)
	for n := range len(v4) {
		if _, _, err := peer.ParseProxy([]byte(v4[:n])); !errors.Is(err, peer.ErrMore) {
			t.Errorf("%d bytes of %d: %v", n, len(v4), err)
		}
	}
}

func TestBalancers(t *testing.T) {
	t.Parallel()
	b := peer.Balancers{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	f := func(a string, want bool) {
		t.Helper()
		if b.Trusts(netip.MustParseAddr(a)) != want || peer.Allowed(b, netip.MustParseAddr(a)) != want {
			t.Error(a)
		}
		if !peer.Allowed(nil, netip.MustParseAddr(a)) {
			t.Error("no ranges must allow all")
		}
		if (peer.Balancers)(nil).Trusts(netip.MustParseAddr(a)) {
			t.Error("no balancers must be none")
		}
	}
	f("10.1.2.3", true)
	f("::ffff:10.1.2.3", true)
	f("2001:db8::1", true)
	f("11.1.2.3", false)
	f("::1", false)
}

func FuzzParseProxy(f *testing.F) {
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x08\x13\x88\x18\xec"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		source, size, err := peer.ParseProxy(b)
		known := errors.Is(err, peer.ErrMore) && size > len(b) // how much is missing
		if err != nil && (size != 0 && !known || source.IsValid()) || err == nil && (size < 16 || size > len(b)) {
			t.Fatalf("%v %d %v", source, size, err)
		}
		// What is whole stays the same whatever follows, and what is not whole is no part of a decision.
		if err == nil {
			again, n, err := peer.ParseProxy(b[:size])
			if err != nil || n != size || again != source {
				t.Fatalf("%v %d %v without what follows", again, n, err)
			}
		}
	})
}

// ReadProxy leaves what follows, whatever the pieces are in which the header arrives.
func TestReadProxy(t *testing.T) {
	t.Parallel()
	f := func(bytes, wantSource, wantRest string, wantErr error) {
		t.Helper()
		for _, slowly := range []bool{false, true} {
			r := strings.NewReader(bytes)
			var from io.Reader = r
			if slowly {
				from = iotest.OneByteReader(r)
			}
			source, err := peer.ReadProxy(from)
			rest, _ := io.ReadAll(r)
			if !errors.Is(err, wantErr) || err == nil && (source.String() != wantSource || string(rest) != wantRest) {
				t.Errorf("%q: %v, %q left, %v", bytes, source, rest, err)
			}
		}
	}
	v4 := header(t, proxyproto.PROXY, proxyproto.TCPv4, "192.0.2.7:5000")
	f(v4+"hello", "192.0.2.7:5000", "hello", nil)
	f(header(t, proxyproto.LOCAL, proxyproto.UNSPEC, "")+"hello", "invalid AddrPort", "hello", nil)
	f(strings.Repeat("\x16\x03\x01", 6), "", "", peer.ErrProxy)
	f(v4[:14]+"\xff\xff"+v4[16:], "", "", peer.ErrProxy)
	f(v4[:20], "", "", io.ErrUnexpectedEOF)
	f("", "", "", io.EOF)
}
