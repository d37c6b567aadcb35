package script

import (
	"container/list"
	"strings"
	"sync"
)

// Cache holds the compiled scripts of one tenant by their SHA-1. What was used longest ago makes room: clients answer
// NOSCRIPT by sending the script again. It is safe for concurrent use.
type Cache struct {
	engine *Engine
	limit  int

	mu    sync.Mutex
	bySHA map[string]*list.Element // of *Script
	used  *list.List               // the latest first
	bytes int
}

// compiledFactor is roughly how many bytes of compiled code a byte of source becomes.
const compiledFactor = 40

// DefaultCacheBytes is room for a few thousand scripts of common length.
const DefaultCacheBytes = 32 << 20

// NewCache returns an empty cache that holds scripts of about limit bytes, compiled.
func (e *Engine) NewCache(limit int) *Cache {
	return &Cache{engine: e, limit: limit, bySHA: map[string]*list.Element{}, used: list.New()}
}

// Get returns the script with a SHA-1 in hexadecimal, in any case; nil when it is not there.
func (c *Cache) Get(sha []byte) *Script {
	if len(sha) != 40 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.bySHA[strings.ToLower(string(sha))]
	if e == nil {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*Script)
}

// Has reports whether a script is there, without counting that as use.
func (c *Cache) Has(sha []byte) bool {
	if len(sha) != 40 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bySHA[strings.ToLower(string(sha))] != nil
}

// Load returns the script with a source, compiled now if it was not there. The error is an [Error] for the client.
func (c *Cache) Load(body []byte) (*Script, error) {
	if s := c.Get([]byte(SHA1Hex(body))); s != nil {
		return s, nil
	}
	s, err := c.engine.Compile(body)
	if err != nil {
		return nil, err
	}
	c.add(s)
	return s, nil
}

func (c *Cache) add(s *Script) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySHA[s.SHA] != nil {
		return
	}
	c.bySHA[s.SHA] = c.used.PushFront(s)
	c.bytes += s.cost()
	for c.bytes > c.limit && c.used.Len() > 1 {
		oldest := c.used.Remove(c.used.Back()).(*Script)
		delete(c.bySHA, oldest.SHA)
		c.bytes -= oldest.cost()
	}
}

func (s *Script) cost() int { return 1<<10 + s.size*compiledFactor }

// Flush forgets all scripts.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bySHA, c.bytes = map[string]*list.Element{}, 0
	c.used.Init()
}

// Len is the number of scripts.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used.Len()
}
