//go:build !linux

package upstream

import "net"

// socket is a connection below TLS.
type socket struct{ net.Conn }

func newSocket(c net.Conn) *socket { return &socket{c} }

func (s *socket) block() {}
