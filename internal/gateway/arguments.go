package gateway

// kept is a copy of the arguments of requests that run later: in a transaction, or when a connection has waited. It is
// plaintext outside of the engine, so it is overwritten as soon as they have run.
type kept struct {
	chunks [][]byte
	args   [][]byte // of all requests, one behind the other
	bytes  int
	chunk  int // the size of one; 0: keptChunk
}

const keptChunk = 4 << 10

// add copies the arguments of one request.
func (k *kept) add(args [][]byte) [][]byte {
	from := len(k.args)
	for _, a := range args {
		k.args = append(k.args, k.copy(a))
	}
	return k.args[from:len(k.args):len(k.args)]
}

func (k *kept) copy(a []byte) []byte { return append(k.room(len(a)), a...) }

// room is memory for n bytes that is overwritten with the rest.
func (k *kept) room(n int) []byte {
	k.bytes += n
	last := len(k.chunks) - 1
	if last < 0 || cap(k.chunks[last])-len(k.chunks[last]) < n {
		k.chunks = append(k.chunks, make([]byte, 0, max(k.chunkBytes(), n)))
		last++
	}
	c := k.chunks[last]
	k.chunks[last] = c[:len(c)+n]
	return c[len(c) : len(c) : len(c)+n]
}

func (k *kept) chunkBytes() int {
	if k.chunk == 0 {
		return keptChunk
	}
	return k.chunk
}

// erase overwrites everything; the first chunk is kept for the next time when it is small.
func (k *kept) erase() {
	for i, c := range k.chunks {
		clear(c)
		k.chunks[i] = c[:0]
	}
	if len(k.chunks) > 0 && cap(k.chunks[0]) <= k.chunkBytes() {
		k.chunks = k.chunks[:1]
	} else {
		k.chunks = nil
	}
	clear(k.args)
	k.args, k.bytes = k.args[:0], 0
}
