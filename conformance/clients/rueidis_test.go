package clients

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// rueidis speaks RESP3, or RESP2 without its cache. With the cache it sends CLIENT TRACKING ON OPTIN when it connects.
func TestRueidis(t *testing.T) {
	t.Parallel()
	for name, resp2 := range map[string]bool{"RESP2": true, "RESP3": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := start(t)
			c := checks{t}
			client := newRueidis(c, l, app, resp2)
			defer client.Close()
			rueidisData(c, client)
			rueidisBatches(c, client)
			rueidisWaiting(c, client)
			rueidisErrors(c, l, client)
			if !resp2 {
				rueidisCaches(c, l, client)
			}
			rueidisReconnects(c, l, client, resp2)
		})
	}
}

func newRueidis(c checks, l *testkit.Lethe, user string, resp2 bool) rueidis.Client {
	c.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{l.Addr}, Username: user, Password: l.Tokens[user],
		TLSConfig: l.TLS(), ClientName: "rueidis", ForceSingleClient: true, AlwaysRESP2: resp2, DisableCache: resp2})
	c.ok("connect", err)
	return client
}

func rueidisData(c checks, client rueidis.Client) {
	ctx, b := timed(c.T), client.B
	const patient, session, scores = "TENANT001:patient:1", "TENANT001:session:s1", "TENANT001:patient:1:scores"
	c.ok("connect", client.Do(ctx, b().Ping().Build()).Error())

	c.ok("strings", client.Do(ctx, b().Set().Key(patient).Value("a record").ExSeconds(3600).Build()).Error())
	v, err := client.Do(ctx, b().Get().Key(patient).Build()).ToString()
	want(c, "strings", v, "a record", err)
	ttl, err := client.Do(ctx, b().Pttl().Key(patient).Build()).AsInt64()
	want(c, "strings: an hour of PHI", phiTTL(time.Duration(ttl)*time.Millisecond), true, err)
	want(c, "strings: a miss", rueidis.IsRedisNil(client.Do(ctx, b().Get().Key("TENANT001:patient:none").Build()).Error()), true, nil)
	n, err := client.Do(ctx, b().Incr().Key("TENANT001:ratelimit:app").Build()).AsInt64()
	want(c, "strings: INCR", n, 1, err)

	c.ok("hashes", client.Do(ctx, b().Hset().Key(session).FieldValue().FieldValue("visits", "1").Build()).Error())
	n, err = client.Do(ctx, b().Hincrby().Key(session).Field("visits").Increment(2).Build()).AsInt64()
	want(c, "hashes: HINCRBY", n, 3, err)
	fields, err := client.Do(ctx, b().Hgetall().Key(session).Build()).AsStrMap()
	want(c, "hashes: HGETALL", fmt.Sprint(fields), "map[visits:3]", err)

	c.ok("sets", client.Do(ctx, b().Sadd().Key("TENANT001:patient:1:allergies").Member("latex", "nuts").Build()).Error())
	c.ok("sets", client.Do(ctx, b().Sadd().Key("TENANT001:patient:2:allergies").Member("latex").Build()).Error())
	both, err := client.Do(ctx, b().Sinter().Key("TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies").Build()).AsStrSlice()
	want(c, "sets", fmt.Sprint(both), "[latex]", err)

	c.ok("sorted sets", client.Do(ctx, b().Zadd().Key(scores).ScoreMember().ScoreMember(1.5, "a").ScoreMember(2, "b").Build()).Error())
	z, err := client.Do(ctx, b().Zrange().Key(scores).Min("0").Max("-1").Withscores().Build()).AsZScores()
	want(c, "sorted sets", fmt.Sprint(z), "[{a 1.5} {b 2}]", err)
}

func rueidisBatches(c checks, client rueidis.Client) {
	ctx, b := timed(c.T), client.B
	var calls rueidis.Commands
	for i := range 100 {
		calls = append(calls, b().Rpush().Key("TENANT001:patient:1:log").Element(fmt.Sprint(i)).Build())
	}
	n, err := client.DoMulti(ctx, calls...)[99].AsInt64()
	want(c, "pipeline", n, 100, err)

	const counter = "TENANT001:ratelimit:t"
	add := func(disturb func()) (executed bool, err error) {
		err = client.Dedicated(func(d rueidis.DedicatedClient) error {
			c.ok("transaction", d.Do(ctx, b().Watch().Key(counter).Build()).Error())
			disturb()
			replies := d.DoMulti(ctx, b().Multi().Build(), b().Incr().Key(counter).Build(), b().Exec().Build())
			err := replies[2].Error()
			if rueidis.IsRedisNil(err) {
				return nil
			}
			executed = err == nil
			return err
		})
		return executed, err
	}
	done, err := add(func() {})
	want(c, "transaction", done, true, err)
	done, err = add(func() { c.ok("transaction", client.Do(ctx, b().Incr().Key(counter).Build()).Error()) })
	want(c, "transaction: WATCH", done, false, err)

	script := rueidis.NewLuaScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
	for _, sum := range []int64{10, 20} {
		n, err := script.Exec(ctx, client, []string{"TENANT001:ratelimit:script"}, []string{"10"}).AsInt64()
		want(c, "scripts", n, sum, err)
	}
}

func rueidisWaiting(c checks, client rueidis.Client) {
	ctx, b := timed(c.T), client.B
	const channel, queue = "TENANT001:patient:1:changes", "TENANT001:patient:1:queue"
	listening, stop := context.WithCancel(ctx)
	defer stop()
	messages := make(chan string, 1)
	go client.Receive(listening, b().Subscribe().Channel(channel).Build(), func(m rueidis.PubSubMessage) { messages <- m.Message })
	eventually(c, "pub/sub: a subscriber", func(ctx context.Context) error {
		n, err := client.Do(ctx, b().Publish().Channel(channel).Message("changed").Build()).AsInt64()
		if err == nil && n != 1 {
			err = fmt.Errorf("%d subscribers", n)
		}
		return err
	})
	want(c, "pub/sub", <-messages, "changed", nil)

	popped := make(chan []string, 1)
	go func() {
		v, _ := client.Do(ctx, b().Blpop().Key(queue).Timeout(30).Build()).AsStrSlice()
		popped <- v
	}()
	c.ok("blocking pop", client.Do(ctx, b().Rpush().Key(queue).Element("job").Build()).Error())
	want(c, "blocking pop", fmt.Sprint(<-popped), "["+queue+" job]", nil)
	want(c, "blocking pop: nothing", rueidis.IsRedisNil(client.Do(ctx, b().Blpop().Key(queue).Timeout(1).Build()).Error()), true, nil)
}

func rueidisErrors(c checks, l *testkit.Lethe, client rueidis.Client) {
	ctx := timed(c.T)
	c.refused("errors", client.Do(ctx, client.B().Get().Key("TENANT002:patient:1").Build()).Error(), "TENANT")
	_, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{l.Addr}, Username: app, Password: "wrong", TLSConfig: l.TLS(),
		ForceSingleClient: true})
	c.refused("errors", err, "WRONGPASS")
}

// A cache in the client keeps reference data and is told when it changes; of PHI it keeps nothing.
func rueidisCaches(c checks, l *testkit.Lethe, client rueidis.Client) {
	ctx, b := timed(c.T), client.B
	writer := newRueidis(c, l, app, false)
	defer writer.Close()
	read := func(key string) rueidis.RedisResult {
		return client.DoCache(ctx, b().Get().Key(key).Cache(), time.Minute)
	}
	const codes, patient = "TENANT001:codesystem:icd10", "TENANT001:patient:cached"
	for _, key := range []string{codes, patient} {
		c.ok("cache", writer.Do(ctx, b().Set().Key(key).Value("first").Build()).Error())
		c.ok("cache", read(key).Error())
	}
	want(c, "cache: reference data", read(codes).IsCacheHit(), true, nil)
	eventually(c, "cache: PHI is forgotten", func(context.Context) error {
		if read(patient).IsCacheHit() {
			return fmt.Errorf("cached")
		}
		return nil
	})
	c.ok("cache", writer.Do(ctx, b().Set().Key(codes).Value("second").Build()).Error())
	eventually(c, "cache: the change", func(context.Context) error {
		if v, err := read(codes).ToString(); v != "second" {
			return fmt.Errorf("not yet (%w)", err)
		}
		return nil
	})
}

// In front of an upstream the cache is told whatever another client of the gateway writes, by what was read or by prefix.
func TestRueidisInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	l := testkit.StartLethe(t, testkit.LetheOptions{
		Flags: []string{"--backend", "upstream", "--upstream-addresses", behind.Socket, "--upstream-tls", "off", "--upstream-plaintext", "on"},
		Users: []testkit.User{{Name: app, Tenants: []string{"TENANT001"}, Rules: identity.DefaultRules(command.NewTable())}},
	})
	for name, options := range map[string][]string{"OPTIN": nil, "BCAST": {"BCAST", "PREFIX", "TENANT001:"}} {
		t.Run(name, func(t *testing.T) {
			c := checks{t}
			client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{l.Addr}, Username: app, Password: l.Tokens[app],
				TLSConfig: l.TLS(), ForceSingleClient: true, ClientTrackingOptions: options})
			c.ok("connect", err)
			defer client.Close()
			rueidisCaches(c, l, client)
		})
	}
}

func rueidisReconnects(c checks, l *testkit.Lethe, client rueidis.Client, resp2 bool) {
	ctx, b := timed(c.T), client.B
	id, err := client.Do(ctx, b().ClientId().Build()).AsInt64()
	c.ok("reconnect", err)
	other := newRueidis(c, l, operator, resp2)
	defer other.Close()
	n, err := other.Do(ctx, b().Arbitrary("CLIENT", "KILL", "ID", fmt.Sprint(id)).Build()).AsInt64()
	want(c, "reconnect: CLIENT KILL", n, 1, err)
	eventually(c, "reconnect", func(ctx context.Context) error { return client.Do(ctx, b().Ping().Build()).Error() })
}
