package server

// keep adds bytes to the connection's unfinished request. Memory that it leaves by growing is overwritten.
func (c *conn) keep(b []byte) {
	if need := len(c.partial) + len(b); need > cap(c.partial) {
		// The decoder's limits bound what may come; doubling bounds what is held ahead of what has come.
		bigger := make([]byte, len(c.partial), max(need, 2*cap(c.partial), 512))
		copy(bigger, c.partial)
		clear(c.partial)
		c.partial = bigger
	}
	c.partial = append(c.partial, b...)
	c.tellHeld()
}

// dropKept overwrites the first n bytes of the unfinished request, which have been used, and moves the rest to the front.
func (c *conn) dropKept(n int) {
	if n == 0 {
		return
	}
	rest := copy(c.partial, c.partial[n:])
	clear(c.partial[rest:])
	c.partial = c.partial[:rest]
	if rest == 0 && cap(c.partial) > 64<<10 {
		c.partial = nil
	}
	c.tellHeld()
}

// tellHeld has CLIENT LIST show what the connection holds. It is called when that has changed.
func (c *conn) tellHeld() {
	if c.session != nil {
		c.session.Holds(len(c.partial), cap(c.partial)-len(c.partial), len(c.socket.backlog))
	}
}
