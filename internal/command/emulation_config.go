package command

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

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

// noticesSetting is the one setting that is not the emulation's.
const noticesSetting = "notify-keyspace-events"

func (e *Emulation) has(name string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.settings[name]
	return ok || name == noticesSetting
}

func (e *Emulation) configGet(c *Call) {
	found := map[string]string{}
	e.mu.RLock()
	for _, pattern := range c.Args[2:] {
		wanted := lower(pattern)
		for name, value := range e.settings {
			if slices.Contains(hiddenSettings, name) && string(wanted) != name {
				continue
			}
			for _, n := range []string{name, strings.ReplaceAll(name, "listpack", "ziplist")} {
				if glob.Match(wanted, []byte(n)) {
					found[n] = value
				}
			}
		}
		if string(wanted) == "lua-time-limit" {
			found["lua-time-limit"] = e.settings["busy-reply-threshold"]
		}
		if glob.Match(wanted, []byte(noticesSetting)) {
			found[noticesSetting] = c.Conn.Notices().String()
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
	if value, ok := changes[noticesSetting]; ok {
		set, _ := ParseNotices([]byte(value))
		c.Conn.SetNotices(set)
		delete(changes, noticesSetting)
	}
	e.set(changes)
	c.Conn.Host().(EmulatingHost).ApplyEmulation(c.Conn)
	if _, ok := changes["maxmemory"]; ok && e.get("maxmemory-policy") != "noeviction" {
		c.Tx.MakeRoom(c.Conn.Tenants()[0], 0) // where not all can go, the next write says so
	}
	c.Out.Status("OK")
}

func (e *Emulation) set(changes map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, value := range changes {
		if n, ok := bytesSetting(value); ok {
			value = strconv.FormatInt(n, 10)
		}
		e.settings[name] = value
	}
}

// hiddenSettings are shown to those only who ask for them by name, and fixedSettings change for nobody.
var (
	hiddenSettings = []string{"key-load-delay"}
	fixedSettings  = []string{"daemonize", "databases", "logfile", "pidfile", "supervised", "unixsocket"}
)

const evictionPolicies = "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"

// check says what is wrong with a value: it has to be of the same kind as the one that the server began with.
func (e *Emulation) check(name, value string) string {
	if name == noticesSetting {
		if _, ok := ParseNotices([]byte(value)); !ok {
			return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
		}
		return ""
	}
	switch old := e.get(name); {
	case slices.Contains(fixedSettings, name):
		return "can't set immutable config"
	case name == "port" && value != old:
		return "Unable to listen on this port. Check server logs."
	case name == "maxmemory-clients" && strings.HasSuffix(value, "%"):
		if n, ok := ParseInt([]byte(strings.TrimSuffix(value, "%"))); !ok || n > 100 {
			return "percentage argument must be less or equal to 100"
		}
	case old == "yes" || old == "no":
		if value != "yes" && value != "no" {
			return "argument must be 'yes' or 'no'"
		}
	case name == "maxmemory-policy":
		if !slices.Contains(strings.Split(evictionPolicies, ", "), value) {
			return "argument(s) must be one of the following: " + evictionPolicies
		}
	case strings.Contains(name, "percentiles"), name == "save", old == "":
	default:
		if _, isNumber := bytesSetting(old); isNumber {
			if _, ok := bytesSetting(value); !ok {
				return "argument couldn't be parsed into an integer"
			}
		}
	}
	return ""
}

// plainSetting is CONFIG SET's Plain: settings, but none that Redis keeps out of its logs.
func (e *Emulation) plainSetting(args [][]byte, i int) bool {
	name := settingName(args[i&^1])
	secret := slices.Contains(secretSettings, name)
	return e.has(name) && (i&1 == 0 || !secret && e.check(name, string(args[i])) == "")
}

var secretSettings = []string{"masterauth", "masteruser", "requirepass"}
