package gateway_test

import (
	"fmt"
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
)

// The calls of the access matrix are made of the command table: each command's documented syntax with its least arguments,
// keys being those of a target. What the notation cannot say (a script, a dump, a group that is there) is said here.

// target is where a call's keys are: the kinds of fixtures by name, first as the one that is read and then as the second.
type target struct {
	name          string
	first, second func(kind string) string
}

func fixture(prefix string) func(string) string {
	return func(kind string) string { return prefix + kind }
}

// The targets. Their keys name their tenants, and canary marks what is the other tenant's.
const (
	ownPrefix    = "TENANTA:patient:1:"
	otherPrefix  = "TENANTB:patient:canary:"
	globalPrefix = "global:codesystem:"
)

func targets() []target {
	own, other, global := fixture(ownPrefix), fixture(otherPrefix), fixture(globalPrefix)
	return []target{
		{"own", own, own}, {"other", other, other}, {"global", global, global},
		{"own then other", own, other}, {"other then own", other, own}, {"own then global", own, global},
	}
}

// matrixCall is one command with its least arguments. Keys stand as marks until a target is chosen.
type matrixCall struct {
	spec  *command.Spec
	words []string
	keys  int
}

const keyMark = "\x00key"

// keyWords are the syntax's words for keys, and for channels, which belong to tenants as keys do.
const keyWords = " key key1 key2 destkey sourcekey destination source dst src newkey shardchannel channel "

// leastValues are values for the syntax's words, "1" for others.
var leastValues = map[string]string{
	"seconds": "100", "milliseconds": "100000", "unix-time-seconds": "1700005100", "unix-time-milliseconds": "1700005100000",
	"start": "0", "stop": "0", "end": "0", "cursor": "0", "index": "0", "offset": "0", "ttl": "0", "min-idle-time": "0", "slot": "0",
	"min": "0", "max": "9", "longitude": "13", "latitude": "38", "radius": "100", "threshold": "100",
	"member": "m", "member1": "m", "member2": "m", "field": "f", "group": "g", "consumer": "c", "pattern": "*",
	"id": "1-1", "start-id": "0-0", "end-id": "9-9", "last-id": "9-9", "numreplicas": "0", "numlocal": "0", "timeout": "0",
	"username": "matrix-root-own", "section": "keyspace", "category": "read", "bits": "64", "connection-name": "n", "libname": "l", "protover": "2",
	"command": "PING", "event": "command",
}

// calls makes one call of every command that can be run.
func matrixCalls(table *command.Table) (all []matrixCall) {
	for _, spec := range table.Specs() {
		if spec.Run == nil {
			continue
		}
		c := matrixCall{spec: spec, words: strings.Split(spec.RecordName(), "|")}
		arguments, ok := ownArguments[spec.RecordName()]
		if !ok {
			arguments = strings.Join(leastArguments(spec.Syntax), " ")
		}
		for word := range strings.FieldsSeq(arguments) {
			if strings.Contains(keyWords, " "+word+" ") && spec.RecordName() != "CLUSTER|KEYSLOT" {
				word = keyMark
				c.keys++
			}
			c.words = append(c.words, word)
		}
		all = append(all, c)
	}
	return all
}

// leastArguments takes the first of alternatives and leaves out what is optional. Words for keys stay as they are.
func leastArguments(syntax string) (words []string) {
	depth, taken := 0, true
	for word := range strings.FieldsSeq(syntax) {
		opens := strings.Count(word, "[")
		depth += opens
		inside := depth > 0
		depth -= strings.Count(word, "]")
		switch {
		case inside:
			continue
		case word == "|":
			taken = false
			continue
		}
		begins, ends := strings.HasPrefix(word, "<") || strings.HasPrefix(word, "("), strings.HasSuffix(word, ">") || strings.HasSuffix(word, ")")
		if begins {
			taken = true
		}
		name := strings.Trim(word, "<>()")
		if taken && name != "" {
			if value, ok := leastValues[name]; ok {
				name = value
			} else if name == strings.ToLower(name) && name != "*" && !strings.Contains(keyWords, " "+name+" ") {
				name = "1"
			}
			words = append(words, name)
		}
		if ends {
			taken = true
		}
	}
	return words
}

// ownArguments are the arguments of commands whose least ones would be mistaken or do nothing.
var ownArguments = map[string]string{
	"BITFIELD": "key SET u8 0 1", "BITFIELD_RO": "key GET u8 0", "PFADD": "key x", "PFDEBUG": "ENCODING key", "SORT": "key STORE destination",
	"GEORADIUS": "key 13 38 100 M STORE destination", "GEORADIUSBYMEMBER": "key m 100 M STORE destination", "GEOPOS": "key m", "GEOHASH": "key m",
	"ZRANGEBYLEX": "key - +", "ZREVRANGEBYLEX": "key + -", "ZREMRANGEBYLEX": "key - +", "ZLEXCOUNT": "key - +",
	"XREADGROUP": "GROUP g c STREAMS key >", "XREAD": "STREAMS key 0-0", "XGROUP|CREATE": "key new 0-0",
	"EVAL": "return{redis.call('GET',KEYS[1])} 1 key", "EVAL_RO": "return{redis.call('GET',KEYS[1])} 1 key",
	"EVALSHA": "\x00sha 1 key", "EVALSHA_RO": "\x00sha 1 key", "FCALL": "matrixget 1 key", "FCALL_RO": "matrixget 1 key",
	"SCRIPT|LOAD": "return{1}", "FUNCTION|LOAD": "REPLACE \x00library", "FUNCTION|DELETE": "matrixlib", "FUNCTION|RESTORE": "\x00libraries REPLACE",
	"FUNCTION|LIST": "WITHCODE", "RESTORE": "key 0 \x00dump REPLACE", "HELLO": "2", "ACL|DRYRUN": "matrix-root-own GET k", "ACL|SETUSER": "matrix-victim on",
	"ACL|DELUSER": "matrix-nobody", "CLIENT|REPLY": "ON", "CLIENT|KILL": "ID 999999", "CLIENT|TRACKING": "ON", "CLIENT|PAUSE": "1 WRITE",
	"COMMAND|GETKEYS": "GET k", "COMMAND|GETKEYSANDFLAGS": "GET k", "COMMAND|INFO": "get", "COMMAND|DOCS": "get", "COMMAND|LIST": "", "LETHE|PURPOSE": "treatment",
	"PUBSUB|NUMSUB": "channel", "PUBSUB|SHARDNUMSUB": "shardchannel", "UNSUBSCRIBE": "channel", "SUNSUBSCRIBE": "shardchannel",
	"CONFIG|GET": "maxmemory", "MIGRATE": "h 1 key 0 1", "CLIENT|CACHING": "YES",
	"AUTH": "matrix-root-other wrong-wrong-wrong-1", "INFO": "keyspace clients", "SCAN": "0 COUNT 1000", "GEOSEARCH": "key FROMMEMBER m BYRADIUS 100 M",
	"GEOSEARCHSTORE": "destination key FROMMEMBER m BYRADIUS 100 M", "LATENCY|HISTOGRAM": "", "PUBSUB|CHANNELS": "*", "PUBSUB|SHARDCHANNELS": "*",
}

// kindOf is the type of the keys that a command's group is about.
func kindOf(spec *command.Spec) string {
	switch name := spec.RecordName(); spec.Group {
	case "hash", "set", "list", "stream", "geo", "hyperloglog":
		return spec.Group
	case "sorted-set":
		return "zset"
	case "generic":
		if strings.HasPrefix(name, "SORT") {
			return "list"
		}
	}
	return "string"
}

// on is the call's words for a target.
func (w *world) on(c *matrixCall, t target) []string {
	words, first := make([]string, len(c.words)), true
	for i, word := range c.words {
		switch word {
		case keyMark:
			if word = t.second(kindOf(c.spec)); first {
				word, first = t.first(kindOf(c.spec)), false
			} else if c.spec.Effect == command.EffectDerive || t.name == "own" || t.name == "other" || t.name == "global" {
				word += "2"
			}
		case "\x00sha":
			word = w.sha
		case "\x00library":
			word = matrixLibrary
		case "\x00dump":
			word = w.dump
		case "\x00libraries":
			word = w.libraries
		}
		words[i] = word
	}
	if c.spec.Group == "scripting" {
		for i, word := range words {
			words[i] = strings.ReplaceAll(word, "return{", "return {")
		}
	}
	return words
}

func (c *matrixCall) String() string { return fmt.Sprintf("%q", c.words) }
