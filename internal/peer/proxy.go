package peer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// Balancers are the addresses whose PROXY protocol headers (version 2, https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt)
// are believed. A connection from one of them has to begin with a header; one from anywhere else must not.
type Balancers []netip.Prefix

// Trusts reports whether a connection from an address begins with a header.
func (b Balancers) Trusts(source netip.Addr) bool { return contains(b, source) }

// Allowed reports whether an address is in one of the ranges; every address is where there are none.
func Allowed(ranges []netip.Prefix, source netip.Addr) bool {
	return len(ranges) == 0 || contains(ranges, source)
}

func contains(ranges []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, r := range ranges {
		if r.Contains(a) {
			return true
		}
	}
	return false
}

var (
	// ErrMore is returned by ParseProxy when the header has not arrived whole.
	ErrMore = errors.New("the PROXY header is not whole yet")
	// ErrProxy is returned for what is no header of version 2 about a TCP connection.
	ErrProxy = errors.New("the balancer's PROXY header is missing or not understood")
)

const (
	proxyFixed   = 16
	maxProxyBody = 2048 // addresses take 36 bytes; the rest are a balancer's notes
)

// proxySignature begins a header of version 2.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// ParseProxy reads the header that a trusted balancer's connection begins with. It returns where the client comes from and
// how many bytes the header takes; the TLS handshake follows. An invalid source means that the balancer speaks for itself
// (a health check): then the connection's own address is the client's. b may hold more than the header. With ErrMore, a size
// that is not 0 is how many bytes it takes.
func ParseProxy(b []byte) (source netip.AddrPort, size int, err error) {
	if !bytes.HasPrefix([]byte(proxySignature), b[:min(len(b), len(proxySignature))]) {
		return source, 0, ErrProxy
	}
	if len(b) < proxyFixed {
		return source, 0, ErrMore
	}
	size = proxyFixed + int(binary.BigEndian.Uint16(b[14:16]))
	if size > proxyFixed+maxProxyBody {
		return source, 0, ErrProxy
	}
	if len(b) < size {
		return source, size, ErrMore
	}
	header, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(b[:size]), size))
	if err != nil || header.Version != 2 {
		return source, 0, ErrProxy
	}
	if header.Command.IsLocal() {
		return source, size, nil
	}
	from, ok := header.SourceAddr.(*net.TCPAddr)
	if !ok || !header.TransportProtocol.IsStream() {
		return source, 0, ErrProxy
	}
	source = from.AddrPort()
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	if !source.Addr().IsValid() || source.Addr().IsUnspecified() {
		return netip.AddrPort{}, 0, ErrProxy
	}
	return source, size, nil
}

// ReadProxy reads a header and not one byte more, so that the TLS handshake finds its own where it begins. Its results are
// those of ParseProxy; a reader that fails gives its error.
func ReadProxy(r io.Reader) (source netip.AddrPort, err error) {
	header := make([]byte, proxyFixed)
	if _, err := io.ReadFull(r, header); err != nil {
		return source, err
	}
	source, size, err := ParseProxy(header)
	if err != ErrMore {
		return source, err
	}
	header = append(header, make([]byte, size-proxyFixed)...)
	if _, err := io.ReadFull(r, header[proxyFixed:]); err != nil {
		return source, err
	}
	source, _, err = ParseProxy(header)
	return source, err
}
