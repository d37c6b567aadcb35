package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// TestGoRedis works through strings, pipelines and collections with go-redis as a service does, in both protocols. Its
// handshake sends HELLO with AUTH, CLIENT SETNAME, CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS.
func TestGoRedis(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			client := redis.NewClient(&redis.Options{Addr: l.Addr, Username: "app", Password: l.Tokens["app"], TLSConfig: l.TLS(),
				Protocol: protocol, ClientName: "goredis", PoolSize: 5})
			defer client.Close()
			useGoRedis(t, client)
		})
	}
}

func useGoRedis(t *testing.T, client *redis.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	const key = "TENANT001:patient:12345"
	must(client.Set(ctx, key, "a record", time.Hour).Err())
	if v, err := client.Get(ctx, key).Result(); v != "a record" || err != nil {
		t.Errorf("GET: %q, %v", v, err)
	}
	if ttl := client.TTL(ctx, key).Val(); ttl > 300*time.Second || ttl < 290*time.Second {
		t.Errorf("TTL: %v", ttl)
	}
	if err := client.Get(ctx, "TENANT001:patient:none").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("a miss: %v", err)
	}
	if err := client.Get(ctx, "TENANT002:patient:1").Err(); !redis.HasErrorPrefix(err, "TENANT") {
		t.Errorf("another tenant: %v", err)
	}
	pipe := client.Pipeline()
	for i := range 100 {
		pipe.HSet(ctx, "TENANT001:session:s1", fmt.Sprint("field", i), i)
	}
	all := pipe.HGetAll(ctx, "TENANT001:session:s1")
	if _, err := pipe.Exec(ctx); err != nil || len(all.Val()) != 100 {
		t.Errorf("a pipeline: %d fields, %v", len(all.Val()), err)
	}
	must(client.ZAdd(ctx, "z", redis.Z{Score: 1.5, Member: "a"}, redis.Z{Score: 2, Member: "b"}).Err())
	if z, err := client.ZRangeWithScores(ctx, "z", 0, -1).Result(); err != nil || len(z) != 2 || z[0].Score != 1.5 {
		t.Errorf("ZRANGE: %v, %v", z, err)
	}
	must(client.SAdd(ctx, "s", "x", "y").Err())
	must(client.RPush(ctx, "l", "x", "y").Err())
	keys, cursor, err := client.Scan(ctx, 0, "*", 1000).Result()
	if err != nil || cursor != 0 || len(keys) != 5 {
		t.Errorf("SCAN: %d keys, cursor %d, %v", len(keys), cursor, err)
	}
	must(client.Del(ctx, keys...).Err())
}

// TestRueidis works with rueidis, which turns client-side caching on when it connects: PHI is never cached by it, because it
// is told to forget what it reads at once.
func TestRueidis(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	option := rueidis.ClientOption{InitAddress: []string{l.Addr}, Username: "app", Password: l.Tokens["app"], TLSConfig: l.TLS(),
		ForceSingleClient: true}
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := client.Do(ctx, client.B().Set().Key("TENANT001:patient:1").Value("v").ExSeconds(3600).Build()).Error(); err != nil {
		t.Error(err)
	}
	var calls rueidis.Commands
	for range 50 {
		calls = append(calls, client.B().Get().Key("TENANT001:patient:1").Build())
	}
	for _, r := range client.DoMulti(ctx, calls...) {
		if v, err := r.ToString(); v != "v" || err != nil {
			t.Errorf("GET: %q, %v", v, err)
		}
	}
}
