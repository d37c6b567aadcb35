package command

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Emulation is what Redis's own test suite leans on and no server with real data may have: settings that a client can
// change, DEBUG, commands that would write to disk, and layouts of values that depend on their past. Only the setting
// redis_tests makes one, and a server with it does not start when its policy knows PHI. Its methods may be called
// concurrently.
type Emulation struct {
	mu       sync.RWMutex
	settings map[string]string
	layouts  map[layoutKey]string

	// NoActiveExpiry stops erasure at deadlines; reads never give what is past its deadline all the same, and erase it.
	NoActiveExpiry atomic.Bool
}

// EmulatingHost is the server around the connection, where there is an Emulation.
type EmulatingHost interface {
	// ApplyEmulation makes the settings work that were changed.
	ApplyEmulation(by Conn)
	// ForgetCounts sets what INFO counts to zero.
	ForgetCounts()
}

// NewEmulation returns one with Redis 7.0's settings.
func NewEmulation() *Emulation {
	e := &Emulation{settings: map[string]string{}, layouts: map[layoutKey]string{}}
	for line := range strings.Lines(emulatedSettings) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			e.settings[name] = value
		}
	}
	return e
}

// Adapt puts the emulation into a table, before the table is used. No other code of the commands knows of it.
func (e *Emulation) Adapt(t *Table) {
	for name, run := range map[string]func(*Call){
		"CONFIG|GET": e.configGet, "CONFIG|SET": e.configSet, "CONFIG|RESETSTAT": resetStatistics, "CONFIG|REWRITE": answerOK,
		"SAVE": answerOK, "BGSAVE": answerStatus("Background saving started"),
		"BGREWRITEAOF": answerStatus("Background append only file rewriting started"),
		"DEBUG":        e.debug, "OBJECT|ENCODING": e.objectEncoding, "OBJECT|REFCOUNT": e.objectRefCount,
		"FLUSHALL": e.forgetLayouts(t.Find("FLUSHALL").Run), "FLUSHDB": e.forgetLayouts(t.Find("FLUSHDB").Run),
	} {
		t.Find(name).Run = run
	}
	t.Find("CONFIG|SET").Plain = e.plainSetting
	t.Find("DEBUG").Plain = plainSleep
	t.Find("DEBUG").Flags &^= NoScript // which DEBUG SET-DISABLE-DENY-SCRIPTS would take away
	for _, s := range t.Specs() {
		if len(s.Keys) > 0 && s.Run != nil {
			s.Run = e.around(s.Run)
		}
	}
}

func answerOK(c *Call) { c.Out.Status("OK") }

func answerStatus(text string) func(*Call) { return func(c *Call) { c.Out.Status(text) } }

func resetStatistics(c *Call) {
	c.Conn.Host().(EmulatingHost).ForgetCounts()
	c.Out.Status("OK")
}

// Int returns a setting that is a number, with a unit or without; 0 when it is none.
func (e *Emulation) Int(name string) int64 {
	n, _ := bytesSetting(e.get(name))
	return n
}

// Keeps reports whether nothing may be evicted: Lethe's own policies say so of categories, Redis's of a server.
func (e *Emulation) Keeps() bool { return e.get("maxmemory-policy") == "noeviction" }

// NewUsersHearAll reports whether users begin with all channels.
func (e *Emulation) NewUsersHearAll() bool { return e.get("acl-pubsub-default") == "allchannels" }

func (e *Emulation) get(name string) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.settings[name]
}

// sharedIntegers is how many integers Redis keeps once for all keys.
const sharedIntegers = 10_000

func (e *Emulation) objectRefCount(c *Call) {
	x, ok := c.object()
	if !ok {
		return
	}
	if n, isInt := ParseInt(x.String()); isInt && n >= 0 && n < sharedIntegers && e.Int("maxmemory") == 0 {
		c.Out.Int(1<<31 - 1)
		return
	}
	c.Out.Int(1)
}

// bytesSetting reads a number that may have one of Redis's units behind it.
func bytesSetting(s string) (int64, bool) {
	s = strings.ToLower(s)
	digits := strings.TrimRight(s, "bkmg")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, known := map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000 * 1000, "mb": 1 << 20, "g": 1000 * 1000 * 1000, "gb": 1 << 30}[s[len(digits):]]
	return n * unit, err == nil && known
}

// debug answers DEBUG as far as the tests lean on it.
func (e *Emulation) debug(c *Call) {
	if run := debugCommands()[strings.ToUpper(string(c.Args[1]))]; run != nil {
		run(e, c)
		return
	}
	c.Error(resp.UnknownSubcommand("debug", c.Args[1]))
}
