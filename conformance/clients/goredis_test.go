package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// go-redis sends HELLO with AUTH, CLIENT SETNAME, CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS when it connects.
func TestGoRedis(t *testing.T) {
	t.Parallel()
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			t.Parallel()
			l := start(t)
			client := goRedis(l, app, protocol)
			defer client.Close()
			c := checks{t}
			goRedisData(c, client)
			goRedisBatches(c, client)
			goRedisWaiting(c, client)
			goRedisErrors(c, l, client)
			goRedisReconnects(c, l, client, protocol)
		})
	}
}

func goRedis(l *testkit.Lethe, user string, protocol int) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: l.Addr, Username: user, Password: l.Tokens[user], TLSConfig: l.TLS(),
		Protocol: protocol, ClientName: "go-redis", PoolSize: 3})
}

func goRedisData(c checks, client *redis.Client) {
	ctx := timed(c.T)
	const patient = "TENANT001:patient:12345"
	c.ok("connect", client.Ping(ctx).Err())

	c.ok("strings", client.Set(ctx, patient, "a record", time.Hour).Err())
	v, err := client.Get(ctx, patient).Result()
	want(c, "strings", v, "a record", err)
	ttl, err := client.PTTL(ctx, patient).Result()
	want(c, "strings: an hour of PHI", phiTTL(ttl), true, err)
	want(c, "strings: a miss", errors.Is(client.Get(ctx, "TENANT001:patient:none").Err(), redis.Nil), true, nil)
	many, err := client.MGet(ctx, patient, "TENANT001:patient:none").Result()
	want(c, "strings: MGET", fmt.Sprint(many), "[a record <nil>]", err)
	n, err := client.IncrBy(ctx, "TENANT001:ratelimit:app", 5).Result()
	want(c, "strings: INCR", n, 5, err)

	const session = "TENANT001:session:s1"
	c.ok("hashes", client.HSet(ctx, session, "user", "jane", "visits", 1).Err())
	n, err = client.HIncrBy(ctx, session, "visits", 2).Result()
	want(c, "hashes: HINCRBY", n, 3, err)
	fields, err := client.HGetAll(ctx, session).Result()
	want(c, "hashes: HGETALL", fmt.Sprint(fields), "map[user:jane visits:3]", err)

	c.ok("sets", client.SAdd(ctx, "TENANT001:patient:1:allergies", "latex", "penicillin").Err())
	c.ok("sets", client.SAdd(ctx, "TENANT001:patient:2:allergies", "latex", "nuts").Err())
	both, err := client.SInter(ctx, "TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies").Result()
	want(c, "sets: SINTER", fmt.Sprint(both), "[latex]", err)

	const scores = "TENANT001:patient:1:scores"
	c.ok("sorted sets", client.ZAdd(ctx, scores, redis.Z{Score: 1.5, Member: "a"}, redis.Z{Score: 2, Member: "b"}).Err())
	z, err := client.ZRangeWithScores(ctx, scores, 0, -1).Result()
	want(c, "sorted sets: ZRANGE", fmt.Sprint(z), "[{1.5 a} {2 b}]", err)
	score, err := client.ZScore(ctx, scores, "a").Result()
	want(c, "sorted sets: ZSCORE", score, 1.5, err)

	keys, cursor, err := client.Scan(ctx, 0, "*", 1000).Result()
	want(c, "sorted sets: SCAN", cursor == 0 && slices.Contains(keys, patient) && slices.Contains(keys, scores), true, err)
}

func goRedisBatches(c checks, client *redis.Client) {
	ctx := timed(c.T)
	pipe := client.Pipeline()
	for i := range 100 {
		pipe.RPush(ctx, "TENANT001:patient:1:log", i)
	}
	all := pipe.LLen(ctx, "TENANT001:patient:1:log")
	_, err := pipe.Exec(ctx)
	want(c, "pipeline", all.Val(), 100, err)

	const counter = "TENANT001:ratelimit:t"
	add := func(disturb func()) error {
		return client.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Get(ctx, counter).Int()
			if err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			disturb()
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, counter, n+1, 0).Err() })
			return err
		}, counter)
	}
	c.ok("transaction", add(func() {}))
	err = add(func() { c.ok("transaction", client.Incr(ctx, counter).Err()) })
	want(c, "transaction: WATCH", errors.Is(err, redis.TxFailedErr), true, nil)

	script := redis.NewScript("return redis.call('INCRBY', KEYS[1], ARGV[1])") // EVALSHA, and EVAL where it is unknown
	for _, sum := range []int{10, 20} {
		n, err := script.Run(ctx, client, []string{"TENANT001:ratelimit:script"}, 10).Int()
		want(c, "scripts", n, sum, err)
	}
}

func goRedisWaiting(c checks, client *redis.Client) {
	ctx := timed(c.T)
	const channel = "TENANT001:patient:1:changes"
	subscription := client.Subscribe(ctx, channel)
	defer subscription.Close()
	_, err := subscription.Receive(ctx)
	c.ok("pub/sub", err)
	n, err := client.Publish(ctx, channel, "changed").Result()
	want(c, "pub/sub: PUBLISH", n, 1, err)
	message, err := subscription.ReceiveMessage(ctx)
	c.ok("pub/sub", err)
	want(c, "pub/sub", message.Payload, "changed", nil)

	const queue = "TENANT001:patient:1:queue"
	popped := make(chan []string, 1)
	go func() { popped <- client.BLPop(ctx, 30*time.Second, queue).Val() }()
	c.ok("blocking pop", client.RPush(ctx, queue, "job").Err())
	want(c, "blocking pop", fmt.Sprint(<-popped), "["+queue+" job]", nil)
	want(c, "blocking pop: nothing", errors.Is(client.BLPop(ctx, time.Second, queue).Err(), redis.Nil), true, nil)
}

func goRedisErrors(c checks, l *testkit.Lethe, client *redis.Client) {
	ctx := timed(c.T)
	c.refused("errors", client.Get(ctx, "TENANT002:patient:1").Err(), "TENANT")
	c.refused("errors", client.Keys(ctx, "*").Err(), "NOPERM")
	stranger := redis.NewClient(&redis.Options{Addr: l.Addr, Username: app, Password: "wrong", TLSConfig: l.TLS(), MaxRetries: -1})
	defer stranger.Close()
	c.refused("errors", stranger.Ping(ctx).Err(), "WRONGPASS")
}

func goRedisReconnects(c checks, l *testkit.Lethe, client *redis.Client, protocol int) {
	ctx := timed(c.T)
	conn := client.Conn()
	id, err := conn.ClientID(ctx).Result()
	c.ok("reconnect", err)
	c.ok("reconnect", conn.Close()) // back into the pool
	other := goRedis(l, operator, protocol)
	defer other.Close()
	n, err := other.ClientKillByFilter(ctx, "ID", strconv.FormatInt(id, 10)).Result()
	want(c, "reconnect: CLIENT KILL", n, 1, err)
	for range 3 { // whichever connection of the pool it takes
		c.ok("reconnect", client.Ping(ctx).Err())
	}

	l.Stop(c.T)
	want(c, "reconnect: no server", client.Ping(ctx).Err() != nil, true, nil)
	l.Restart(c.T, testkit.LetheOptions{Flags: []string{"--listen", l.Addr}})
	eventually(c, "reconnect: a new server", func(ctx context.Context) error { return client.Ping(ctx).Err() })
	want(c, "reconnect: the cache is empty", errors.Is(client.Get(ctx, "TENANT001:patient:12345").Err(), redis.Nil), true, nil)
}

// eventually repeats what a client may refuse for a moment.
func eventually(c checks, step string, do func(context.Context) error) {
	c.Helper()
	ctx := timed(c.T)
	testkit.Await(c.T, 30*time.Second, step, func() bool { return do(ctx) == nil })
}
