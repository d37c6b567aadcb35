package script

import (
	"container/list"
	"crypto/sha1"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Cache holds the compiled scripts of one tenant by their SHA-1. What was used longest ago makes room: clients answer
// NOSCRIPT by sending the script again. It is safe for concurrent use.
type Cache struct {
	engine *Engine
	limit  int

	seed   maphash.Seed
	recent [recentScripts]atomic.Pointer[Script] // by the hash of their source; written under mu

	mu    sync.Mutex
	bySHA map[string]*list.Element // of *Script
	turns *list.List               // of *Script; the last is the next to make room
	bytes int
}

// compiledFactor is roughly how many bytes of compiled code a byte of source becomes.
const compiledFactor = 40

// recentScripts is how many scripts are known by their source, without a SHA-1 of it: a power of two.
const recentScripts = 64

// DefaultCacheBytes is room for a few thousand scripts of common length.
const DefaultCacheBytes = 32 << 20

// NewCache returns an empty cache that holds scripts of about limit bytes, compiled.
func (e *Engine) NewCache(limit int) *Cache {
	return &Cache{engine: e, limit: limit, seed: maphash.MakeSeed(), bySHA: map[string]*list.Element{}, turns: list.New()}
}

// Get returns the script with a SHA-1 in hexadecimal, in any case; nil when it is not there.
func (c *Cache) Get(sha []byte) *Script {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(sha)
}

func (c *Cache) get(sha []byte) *Script {
	e := c.find(sha)
	if e == nil {
		return nil
	}
	c.turns.MoveToFront(e)
	return e.Value.(*Script)
}

func (c *Cache) find(sha []byte) *list.Element {
	var lower [2 * sha1.Size]byte
	if len(sha) != len(lower) {
		return nil
	}
	for i, b := range sha {
		if 'A' <= b && b <= 'F' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	return c.bySHA[string(lower[:])]
}

// Has reports whether a script is there, without counting that as use.
func (c *Cache) Has(sha []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(sha) != nil
}

// Load returns the script with a source, compiled now if it was not there. The error is an [Error] for the client.
func (c *Cache) Load(body []byte) (*Script, error) {
	place := &c.recent[maphash.Bytes(c.seed, body)%recentScripts]
	if s := place.Load(); s != nil && string(s.source) == string(body) {
		if !s.usedLately.Load() {
			s.usedLately.Store(true)
		}
		return s, nil
	}
	if s := c.known([]byte(SHA1Hex(body)), place); s != nil {
		return s, nil
	}
	s, err := c.engine.Compile(body)
	if err != nil {
		return nil, err
	}
	c.add(s, place)
	return s, nil
}

// known is Get, which notes that the script's source is known.
func (c *Cache) known(sha []byte, place *atomic.Pointer[Script]) *Script {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.get(sha)
	if s != nil {
		place.Store(s)
	}
	return s
}

func (c *Cache) add(s *Script, place *atomic.Pointer[Script]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySHA[s.SHA] != nil {
		return
	}
	c.bySHA[s.SHA] = c.turns.PushFront(s)
	place.Store(s)
	c.bytes += s.cost()
	for c.bytes > c.limit && c.turns.Len() > 1 {
		c.removeOldest(s)
	}
}

// removeOldest makes room, or puts the script in front whose turn it is because it was used meanwhile, or is the one that needs
// the room.
func (c *Cache) removeOldest(needed *Script) {
	last := c.turns.Back()
	s := last.Value.(*Script)
	if s == needed || s.usedLately.Swap(false) {
		c.turns.MoveToFront(last)
		return
	}
	c.turns.Remove(last)
	delete(c.bySHA, s.SHA)
	c.bytes -= s.cost()
	c.recent[maphash.Bytes(c.seed, s.source)%recentScripts].CompareAndSwap(s, nil)
}

func (s *Script) cost() int { return 1<<10 + len(s.source)*compiledFactor }

// Flush forgets all scripts.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bySHA, c.bytes = map[string]*list.Element{}, 0
	c.turns.Init()
	for i := range c.recent {
		c.recent[i].Store(nil)
	}
}

// Len is the number of scripts.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turns.Len()
}
