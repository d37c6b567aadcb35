package command

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Emulation is what Redis's own test suite leans on and no server with real data may have: settings that a client can
// change, DEBUG, and layouts of values that depend on these settings. Only the setting redis_tests makes one, and a server
// with it does not start when its policy knows PHI. Its methods may be called concurrently.
type Emulation struct {
	mu       sync.RWMutex
	settings map[string]string

	// NoActiveExpiry stops erasure at deadlines; reads never give what is past its deadline all the same.
	NoActiveExpiry atomic.Bool
}

// NewEmulation returns one with Redis 7.0's settings.
func NewEmulation() *Emulation {
	e := &Emulation{settings: map[string]string{}}
	for line := range strings.Lines(emulatedSettings) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			e.settings[name] = value
		}
	}
	return e
}

// settingName is the name of a setting by any of its names.
func settingName(name []byte) string {
	n := string(lower(name))
	switch n {
	case "lua-time-limit":
		return "busy-reply-threshold"
	case "replica-read-only":
		return "slave-read-only"
	}
	return strings.ReplaceAll(n, "ziplist", "listpack")
}

// Get returns a setting.
func (e *Emulation) Get(name string) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.settings[name]
}

// has reports whether there is a setting.
func (e *Emulation) has(name string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.settings[name]
	return ok || name == "notify-keyspace-events"
}

// Int returns a setting that is a number, with a unit or without; 0 when it is none.
func (e *Emulation) Int(name string) int64 {
	n, _ := bytesSetting(e.Get(name))
	return n
}

// bytesSetting reads a number that may have one of Redis's units behind it.
func bytesSetting(s string) (int64, bool) {
	s = strings.ToLower(s)
	digits := strings.TrimRight(s, "bkmg")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, known := map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000 * 1000, "mb": 1 << 20, "g": 1000 * 1000 * 1000, "gb": 1 << 30}[s[len(digits):]]
	return n * unit, err == nil && known
}

// emulation is the host's, nil on every server for real use.
func (c *Call) emulation() *Emulation {
	if h, ok := c.Conn.Host().(interface{ Emulation() *Emulation }); ok {
		return h.Emulation()
	}
	return nil
}

func (e *Emulation) configGet(c *Call) {
	found := map[string]string{}
	e.mu.RLock()
	for _, pattern := range c.Args[2:] {
		wanted := lower(pattern)
		for name, value := range e.settings {
			for _, n := range []string{name, strings.ReplaceAll(name, "listpack", "ziplist")} {
				if glob.Match(wanted, []byte(n)) {
					found[n] = value
				}
			}
		}
		if string(wanted) == "lua-time-limit" {
			found["lua-time-limit"] = e.settings["busy-reply-threshold"]
		}
		if glob.Match(wanted, []byte("notify-keyspace-events")) {
			found["notify-keyspace-events"] = c.Conn.Notices().String()
		}
	}
	e.mu.RUnlock()
	c.Out.Map(len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		c.Out.BulkString(name)
		c.Out.BulkString(found[name])
	}
}

// configSet changes all of the settings that are named, or none.
func (e *Emulation) configSet(c *Call) {
	if len(c.Args)%2 != 0 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	changes := map[string]string{}
	for i := 2; i < len(c.Args); i += 2 {
		name, value := settingName(c.Args[i]), string(c.Args[i+1])
		problem := e.check(name, value)
		if _, twice := changes[name]; twice {
			problem = "duplicate parameter"
		}
		if problem != "" {
			c.Error("ERR CONFIG SET failed (possibly related to argument '" + shown(c.Args[i]) + "') - " + problem)
			return
		}
		if !e.has(name) {
			c.Error("ERR Unknown option or number of arguments for CONFIG SET - '" + shown(c.Args[i]) + "'")
			return
		}
		changes[name] = value
	}
	for name, value := range changes {
		if name == "notify-keyspace-events" {
			set, _ := ParseNotices([]byte(value))
			c.Conn.SetNotices(set)
			delete(changes, name)
		}
	}
	e.mu.Lock()
	for name, value := range changes {
		if n, ok := bytesSetting(value); ok && value != "" {
			value = strconv.FormatInt(n, 10)
		}
		e.settings[name] = value
	}
	e.mu.Unlock()
	c.Conn.Host().(interface{ ApplyEmulation() }).ApplyEmulation()
	c.Out.Status("OK")
}

// check says what is wrong with a value: of the same kind as the one that the server began with.
func (e *Emulation) check(name, value string) string {
	if name == "notify-keyspace-events" {
		if _, ok := ParseNotices([]byte(value)); !ok {
			return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
		}
		return ""
	}
	switch old := e.Get(name); {
	case old == "yes" || old == "no":
		if value != "yes" && value != "no" {
			return "argument must be 'yes' or 'no'"
		}
	case name == "maxmemory-policy":
		if !slices.Contains(strings.Fields("volatile-lru volatile-lfu volatile-random volatile-ttl allkeys-lru allkeys-lfu allkeys-random noeviction"), value) {
			return "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"
		}
	case strings.Contains(name, "percentiles"), name == "save":
	default:
		if _, isNumber := bytesSetting(old); isNumber && old != "" {
			if _, ok := bytesSetting(value); !ok {
				return "argument couldn't be parsed into an integer"
			}
		}
	}
	return ""
}
