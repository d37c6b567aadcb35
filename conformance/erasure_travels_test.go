package conformance

import (
	"maps"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// erasureWays are the ways on which TestNothingIsLeftWhicheverWayItCame sends its marks, by name.
func erasureWays() map[string]func(*traveller) {
	ways := scriptWays()
	maps.Copy(ways, map[string]func(*traveller){
		"exec": func(w *traveller) {
			w.do("WATCH", w.key+":"+w.mark)
			w.do("MULTI")
			w.set(w.key)
			w.do("APPEND", w.key, w.text)
			w.do("GET", w.key)
			w.do("HSET", w.key+":h", w.mark, w.text)
			w.do("PEXPIRE", w.key+":h", w.ttl)
			w.do("HGETALL", w.key+":h")
			w.do("EXEC")
		},
		"discard": func(w *traveller) {
			w.do("MULTI")
			w.set(w.key)
			w.do("SADD", w.key+":s", w.text, w.mark)
			w.do("DISCARD")
		},
		"abort": func(w *traveller) {
			w.do("MULTI")
			w.set(w.key)
			w.fails("NOSUCHCOMMAND", w.text)
			w.fails("EXEC")
		},
		"watch": func(w *traveller) {
			w.do("WATCH", w.key+":"+w.mark)
			w.set(w.key + ":" + w.mark)
			w.do("MULTI")
			w.set(w.key)
			w.do("EXEC")
		},
		"left": func(w *traveller) { // queued, watched, heard, half sent: and then the connection is gone
			w.do("WATCH", w.key+":"+w.mark)
			w.do("MULTI")
			w.set(w.key)
			half := testkit.Command("SET", w.key, w.text)
			w.c.Send(half[:len(half)-10])
		},
		"publish": func(w *traveller) {
			channel := "TENANT001:channel:" + w.mark
			one, two := w.dial(), w.dial()
			one.Send(testkit.Command("SUBSCRIBE", channel))
			two.Send(testkit.Command("PSUBSCRIBE", channel+"*"))
			w.receive(one, 1)
			w.receive(two, 1)
			w.do("PUBLISH", channel, w.text)
			w.receive(one, 1)
			w.receive(two, 1)
			one.Send(testkit.Command("UNSUBSCRIBE"))
			w.receive(one, 1)
			two.Conn.Close()
		},
		"spublish": func(w *traveller) {
			channel := "TENANT001:channel:" + w.mark
			one := w.dial()
			one.Send(testkit.Command("SSUBSCRIBE", channel))
			w.receive(one, 1)
			w.do("SPUBLISH", channel, w.text)
			w.receive(one, 1)
			one.Send(testkit.Command("SUNSUBSCRIBE", channel))
			w.receive(one, 1)
		},
		"events": func(w *traveller) {
			w.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
			one := w.dial()
			one.Send(testkit.Command("PSUBSCRIBE", "__key*__:*events*"))
			w.receive(one, 1)
			w.set(w.key + ":" + w.mark)
			w.receive(one, 2)
		},
		"blpop": func(w *traveller) {
			one, two := w.waiting("BLPOP", w.key+":"+w.mark, "30"), w.waiting("BLMPOP", "30", "1", w.key+":"+w.mark, "LEFT", "COUNT", "5")
			w.do("RPUSH", w.key+":"+w.mark, w.text)
			w.do("RPUSH", w.key+":"+w.mark, w.text, w.mark)
			w.receive(one, 1)
			w.receive(two, 1)
			three := w.waiting("BLMOVE", w.key+":l", w.key+":"+w.mark, "LEFT", "RIGHT", "30")
			w.do("RPUSH", w.key+":l", w.text)
			w.receive(three, 1)
			w.live(w.key + ":" + w.mark)
			w.waiting("BRPOP", w.key+":none:"+w.mark, "30").Conn.Close()
		},
		"bzpop": func(w *traveller) {
			one := w.waiting("BZPOPMIN", w.key+":"+w.mark, "30")
			w.do("ZADD", w.key+":"+w.mark, "1", w.text, "2", w.mark)
			w.receive(one, 1)
			w.live(w.key + ":" + w.mark)
		},
		"timeout": func(w *traveller) {
			w.do("BLPOP", w.key+":"+w.mark, "0.01")
			w.do("BZMPOP", "0.01", "1", w.key+":"+w.mark, "MIN")
		},
		"xread": func(w *traveller) {
			w.do("XGROUP", "CREATE", w.key, w.mark, "$", "MKSTREAM")
			one := w.waiting("XREAD", "BLOCK", "30000", "STREAMS", w.key, "$")
			two := w.waiting("XREADGROUP", "GROUP", w.mark, w.mark+"-reader", "BLOCK", "30000", "STREAMS", w.key, ">")
			w.do("XADD", w.key, "*", w.mark, w.text, "field", w.text)
			w.receive(one, 1)
			w.receive(two, 1)
			w.do("XAUTOCLAIM", w.key, w.mark, w.mark+"-claimer", "0", "0")
			w.do("XINFO", "STREAM", w.key, "FULL")
			w.live(w.key)
		},
		"sort": func(w *traveller) {
			for _, e := range []string{"c", "a", "b"} {
				w.do("RPUSH", w.key, w.mark+e, w.text)
				w.set(w.key + ":data:" + w.mark + e)
			}
			w.do("SORT", w.key, "ALPHA", "DESC")
			w.do("SORT", w.key, "BY", w.key+":data:*", "GET", w.key+":data:*", "GET", "#", "ALPHA")
			w.do("SORT", w.key, "ALPHA", "STORE", w.key+":sorted")
			w.live(w.key)
			w.live(w.key + ":sorted")
		},
		"dump": func(w *traveller) {
			w.set(w.key)
			w.do("HSET", w.key+":h", w.mark, w.text)
			w.do("XADD", w.key+":x", "*", w.mark, w.text)
			w.do("ZADD", w.key+":z", "1", w.text)
			for _, kind := range []string{"", ":h", ":x", ":z"} {
				w.do("RESTORE", w.key+":again", w.ttl, string(w.do("DUMP", w.key+kind).Str), "REPLACE")
				w.live(w.key + kind)
			}
			w.fails("RESTORE", w.key+":no", w.ttl, string(w.do("DUMP", w.key).Str)+"x")
		},
		"copy": func(w *traveller) {
			w.set(w.key)
			w.do("COPY", w.key, w.key+":copied")
			w.do("RENAME", w.key+":copied", w.key+":"+w.mark)
			w.do("SADD", w.key+":s", w.text, w.mark)
			w.do("COPY", w.key+":s", w.key+":s2")
			w.do("SET", w.key+":short", w.mark, "PX", w.ttl)
			w.do("LCS", w.key+":short", w.key+":short")
			w.do("BITOP", "OR", w.key+":bits", w.key, w.key+":"+w.mark)
			w.do("GETEX", w.key, "PX", w.ttl)
			w.live(w.key + ":s")
			w.live(w.key + ":s2")
		},
		"algebra": func(w *traveller) {
			w.do("SADD", w.key+":a", w.text, w.mark, "x")
			w.do("SADD", w.key+":b", w.text, "y")
			w.do("SUNION", w.key+":a", w.key+":b")
			w.do("SINTERSTORE", w.key+":c", w.key+":a", w.key+":b")
			w.do("ZUNIONSTORE", w.key+":d", "2", w.key+":a", w.key+":b")
			w.do("ZDIFF", "2", w.key+":a", w.key+":b", "WITHSCORES")
			w.do("SRANDMEMBER", w.key+":a", "-5")
			w.do("PFADD", w.key+":p", w.text, w.mark)
			w.do("GEOADD", w.key+":g", "8.5", "47.4", w.text)
			w.do("GEOSEARCH", w.key+":g", "FROMMEMBER", w.text, "BYRADIUS", "1", "km")
			w.do("GEOSEARCHSTORE", w.key+":g2", w.key+":g", "FROMMEMBER", w.text, "BYRADIUS", "1", "km")
			for _, kind := range []string{":a", ":b", ":c", ":d", ":p", ":g", ":g2"} {
				w.live(w.key + kind)
			}
		},
		"scan": func(w *traveller) {
			w.set(w.key + ":" + w.mark)
			w.do("SCAN", "0", "MATCH", "*"+w.mark+"*", "COUNT", "1000")
			w.do("HSET", w.key, w.mark, w.text)
			w.do("HSCAN", w.key, "0", "MATCH", "*"+w.mark+"*")
			w.do("HRANDFIELD", w.key, "3", "WITHVALUES")
			w.live(w.key)
		},
		"strings": func(w *traveller) {
			w.do("MSET", w.key, w.text, w.key+":"+w.mark, w.text)
			w.do("MGET", w.key, w.key+":"+w.mark)
			w.do("SETRANGE", w.key, "3", w.text)
			w.do("GETSET", w.key, w.text+w.mark)
			w.do("SET", w.key, w.text, "GET", "PX", w.ttl)
			w.live(w.key + ":" + w.mark)
		},
		"large": func(w *traveller) { // more than any buffer holds
			w.text = strings.Repeat(w.text, 1+(300<<10)/len(w.text))
			w.set(w.key)
			w.do("EVAL", "return redis.call('APPEND', KEYS[1], ARGV[1])", "1", w.key, w.text)
			w.do("GET", w.key)
			w.do("EVAL", "return {redis.call('GET', KEYS[1]), ARGV[1]}", "1", w.key, w.text)
			w.do("MULTI")
			w.set(w.key)
			w.do("EXEC")
		},
		"numbers": func(w *traveller) { // what is to be a number, and is a text
			w.set(w.key)
			w.do("HSET", w.key+":h", "f", w.text)
			w.do("RPUSH", w.key+":l", w.text, w.mark)
			w.fails("INCRBYFLOAT", w.key, "1")
			w.fails("HINCRBYFLOAT", w.key+":h", "f", "1")
			w.fails("SORT", w.key+":l")
			w.fails("SCAN", w.mark)
			w.fails("BLPOP", w.key, w.mark)
			w.fails("ZRANGEBYSCORE", w.key+":z", w.mark, w.text)
			w.fails("GEOADD", w.key+":g", w.mark, w.mark, w.text)
			w.fails("EVAL", "return ARGV[1] * 2", "0", w.text)
			w.do("EVAL", "return tonumber(ARGV[1])", "0", w.text)
			w.live(w.key + ":h")
			w.live(w.key + ":l")
		},
		"inline": func(w *traveller) {
			w.c.Send([]byte("SET " + w.key + " '" + w.mark + "' PX " + w.ttl + "\r\n"))
			w.receive(w.c, 1)
		},
		"pieces": func(w *traveller) {
			raw := testkit.Command("SET", w.key, w.text, "PX", w.ttl)
			for len(raw) > 0 {
				n := min(len(raw), 1+len(raw)/2)
				w.c.Send(raw[:n])
				raw = raw[n:]
				<-time.After(time.Millisecond) // so that it arrives in pieces; that is no wait for anything
			}
			w.receive(w.c, 1)
		},
		"refused": func(w *traveller) {
			w.set(w.key)
			w.fails("INCR", w.key)
			w.fails("LPUSH", w.key, w.text)
			w.fails("SET", w.key, w.text, "BOGUS", w.mark)
			w.fails("NOSUCHCOMMAND", w.text)
			w.fails("CONFIG", "SET", w.mark, w.text)
			w.fails("OBJECT", w.mark, w.key)
			w.fails("SET", "TENANT002:patient:"+w.mark, w.text)
			w.fails("EXPIRE", w.key, w.mark)
			w.fails("ZADD", w.key+":z", w.mark, w.text)
		},
	})
	return ways
}
