package clients

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// redigo speaks RESP2: AUTH with a user name and CLIENT SETNAME when it connects.
func TestRedigo(t *testing.T) {
	t.Parallel()
	l := start(t)
	pool := &redis.Pool{MaxIdle: 3, Dial: func() (redis.Conn, error) { return redigo(l, app, l.Tokens[app]) },
		TestOnBorrow: func(conn redis.Conn, _ time.Time) error { _, err := conn.Do("PING"); return err }}
	defer pool.Close()
	c := checks{t}
	conn := pool.Get()
	redigoData(c, conn)
	redigoBatches(c, conn, pool)
	redigoWaiting(c, conn, pool)
	redigoErrors(c, conn, l)
	redigoReconnects(c, conn, pool, l)
}

func redigo(l *testkit.Lethe, user, token string) (redis.Conn, error) {
	return redis.Dial("tcp", l.Addr, redis.DialUsername(user), redis.DialPassword(token), redis.DialUseTLS(true),
		redis.DialTLSConfig(l.TLS()), redis.DialClientName("redigo"), redis.DialReadTimeout(30*time.Second))
}

func redigoData(c checks, conn redis.Conn) {
	do := func(step string, args ...any) any {
		c.Helper()
		reply, err := conn.Do(args[0].(string), args[1:]...)
		c.ok(step, err)
		return reply
	}
	do("connect", "PING")

	do("strings", "SET", "TENANT001:patient:1", "a record", "EX", 3600)
	v, err := redis.String(do("strings", "GET", "TENANT001:patient:1"), nil)
	want(c, "strings", v, "a record", err)
	ttl, err := redis.Int(do("strings", "TTL", "TENANT001:patient:1"), nil)
	want(c, "strings: an hour of PHI", phiTTL(time.Duration(ttl)*time.Second), true, err)
	many, err := redis.Strings(do("strings", "MGET", "TENANT001:patient:1", "TENANT001:patient:none"), nil)
	want(c, "strings: MGET", fmt.Sprintf("%q", many), `["a record" ""]`, err)
	want(c, "strings: INCR", do("strings", "INCR", "TENANT001:ratelimit:app"), any(int64(1)), nil)

	do("hashes", redis.Args{"HSET", "TENANT001:session:s1"}.AddFlat(map[string]int{"visits": 1})...)
	want(c, "hashes: HINCRBY", do("hashes", "HINCRBY", "TENANT001:session:s1", "visits", 2), any(int64(3)), nil)
	fields, err := redis.IntMap(do("hashes", "HGETALL", "TENANT001:session:s1"), nil)
	want(c, "hashes: HGETALL", fmt.Sprint(fields), "map[visits:3]", err)

	do("sets", "SADD", "TENANT001:patient:1:allergies", "latex", "nuts")
	do("sets", "SADD", "TENANT001:patient:2:allergies", "latex")
	both, err := redis.Strings(do("sets", "SINTER", "TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies"), nil)
	want(c, "sets", fmt.Sprint(both), "[latex]", err)

	do("sorted sets", "ZADD", "TENANT001:patient:1:scores", 1.5, "a", 2, "b")
	scores, err := redis.Float64Map(do("sorted sets", "ZRANGE", "TENANT001:patient:1:scores", 0, -1, "WITHSCORES"), nil)
	want(c, "sorted sets", fmt.Sprint(scores), "map[a:1.5 b:2]", err)
}

func redigoBatches(c checks, conn redis.Conn, pool *redis.Pool) {
	for i := range 100 {
		c.ok("pipeline", conn.Send("RPUSH", "TENANT001:patient:1:log", i))
	}
	replies, err := redis.Ints(conn.Do(""))
	c.ok("pipeline", err)
	want(c, "pipeline", replies[99], 100, nil)

	const counter = "TENANT001:ratelimit:t"
	add := func(disturb func()) (any, error) {
		_, err := conn.Do("WATCH", counter)
		c.ok("transaction", err)
		disturb()
		c.ok("transaction", conn.Send("MULTI"))
		c.ok("transaction", conn.Send("INCR", counter))
		return conn.Do("EXEC")
	}
	done, err := redis.Ints(add(func() {}))
	want(c, "transaction", fmt.Sprint(done), "[1]", err)
	aborted, err := add(func() {
		other := pool.Get()
		defer other.Close()
		_, err := other.Do("INCR", counter)
		c.ok("transaction", err)
	})
	want(c, "transaction: WATCH", aborted, nil, err)

	script := redis.NewScript(1, "return redis.call('INCRBY', KEYS[1], ARGV[1])")
	for _, sum := range []int{10, 20} {
		n, err := redis.Int(script.Do(conn, "TENANT001:ratelimit:script", 10))
		want(c, "scripts", n, sum, err)
	}
}

func redigoWaiting(c checks, conn redis.Conn, pool *redis.Pool) {
	const channel, queue = "TENANT001:patient:1:changes", "TENANT001:patient:1:queue"
	subscription := redis.PubSubConn{Conn: pool.Get()}
	c.ok("pub/sub", subscription.Subscribe(channel))
	_, subscribed := subscription.Receive().(redis.Subscription)
	want(c, "pub/sub: SUBSCRIBE", subscribed, true, nil)
	n, err := redis.Int(conn.Do("PUBLISH", channel, "changed"))
	want(c, "pub/sub: PUBLISH", n, 1, err)
	message, _ := subscription.Receive().(redis.Message)
	want(c, "pub/sub", string(message.Data), "changed", nil)
	c.ok("pub/sub", subscription.Close())

	waiting := pool.Get()
	defer waiting.Close()
	c.ok("blocking pop", waiting.Send("BLPOP", queue, 30))
	c.ok("blocking pop", waiting.Flush())
	_, err = conn.Do("RPUSH", queue, "job")
	c.ok("blocking pop", err)
	popped, err := redis.Strings(waiting.Receive())
	want(c, "blocking pop", fmt.Sprint(popped), "["+queue+" job]", err)
	nothing, err := waiting.Do("BLPOP", queue, 1)
	want(c, "blocking pop: nothing", nothing, nil, err)
}

func redigoErrors(c checks, conn redis.Conn, l *testkit.Lethe) {
	_, err := conn.Do("GET", "TENANT002:patient:1")
	c.refused("errors", err, "TENANT")
	var reply redis.Error
	want(c, "errors", errors.As(err, &reply), true, nil)
	_, err = redigo(l, app, "wrong")
	c.refused("errors", err, "WRONGPASS")
}

func redigoReconnects(c checks, conn redis.Conn, pool *redis.Pool, l *testkit.Lethe) {
	id, err := redis.Int(conn.Do("CLIENT", "ID"))
	c.ok("reconnect", err)
	other, err := redigo(l, operator, l.Tokens[operator])
	c.ok("reconnect", err)
	defer other.Close()
	n, err := redis.Int(other.Do("CLIENT", "KILL", "ID", id))
	want(c, "reconnect: CLIENT KILL", n, 1, err)
	_, err = conn.Do("PING")
	want(c, "reconnect: a killed connection", err != nil, true, nil)
	c.ok("reconnect", conn.Close())
	fresh := pool.Get()
	defer fresh.Close()
	v, err := redis.String(fresh.Do("GET", "TENANT001:patient:1"))
	want(c, "reconnect", v, "a record", err)
}
