package conformance

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Clients that speak to clusters only find one node that serves everything, and work.
func TestClientsOfClusters(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Flags: []string{"--cluster", "view"}})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	t.Run("go-redis", func(t *testing.T) {
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{l.Addr}, Username: "app", Password: l.Tokens["app"], TLSConfig: l.TLS()})
		defer client.Close()
		pipe := client.Pipeline()
		for i := range 50 {
			pipe.Set(ctx, fmt.Sprint("key:", i), i, time.Minute)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			t.Error(err)
		}
		for i := range 50 {
			if n, err := client.Get(ctx, fmt.Sprint("key:", i)).Int(); n != i || err != nil {
				t.Errorf("GET: %d, %v", n, err)
			}
		}
		shards, err := client.ClusterShards(ctx).Result()
		if err != nil || len(shards) != 1 || net.JoinHostPort(shards[0].Nodes[0].Endpoint, fmt.Sprint(shards[0].Nodes[0].TLSPort)) != l.Addr {
			t.Errorf("CLUSTER SHARDS: %v, %v", shards, err)
		}
	})
	t.Run("rueidis", func(t *testing.T) {
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{l.Addr}, Username: "app", Password: l.Tokens["app"],
			TLSConfig: l.TLS(), DisableCache: true})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for i := range 20 {
			key := fmt.Sprint("other:", i)
			if err := client.Do(ctx, client.B().Set().Key(key).Value("v").Build()).Error(); err != nil {
				t.Error(err)
			}
			if v, err := client.Do(ctx, client.B().Get().Key(key).Build()).ToString(); v != "v" || err != nil {
				t.Errorf("GET: %q, %v", v, err)
			}
		}
	})
}

// The view is of the caller's tenants, says what the configuration advertises, and is told in every place that clients
// look at.
func TestClusterView(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Flags: []string{"--cluster", "view", "--advertise", "cache.example.org:7000"},
		Users: []testkit.User{{Name: "a", Tenants: []string{tenantA}, Rules: "~* +@all"}, {Name: "b", Tenants: []string{tenantB}, Rules: "~* +@all"}}})
	a, b := l.Dial(t, "a"), l.Dial(t, "b")
	b.Do("SET", "key", "v")
	slot := fmt.Sprint(a.Do("CLUSTER", "KEYSLOT", "key").Int)
	if n := a.Do("CLUSTER", "COUNTKEYSINSLOT", slot); n.Int != 0 {
		t.Errorf("A counts %d keys of B", n.Int)
	}
	if n := b.Do("CLUSTER", "COUNTKEYSINSLOT", slot); n.Int != 1 {
		t.Errorf("B counts %d of its keys", n.Int)
	}
	if keys := a.Do("CLUSTER", "GETKEYSINSLOT", slot, "10"); len(keys.Elems) != 0 {
		t.Errorf("A sees %s", show(keys.Raw))
	}
	if nodes := string(a.Do("CLUSTER", "NODES").Str); !strings.Contains(nodes, " cache.example.org:7000@0 myself,master ") {
		t.Errorf("CLUSTER NODES: %q", nodes)
	}
	for section, want := range map[string]string{"cluster": "cluster_enabled:1", "server": "redis_mode:cluster"} {
		if text := string(a.Do("INFO", section).Str); !strings.Contains(text, want) {
			t.Errorf("INFO %s: %q", section, text)
		}
	}

	own := testkit.StartLethe(t, testkit.LetheOptions{Flags: []string{"--cluster", "view"}})
	host, port, _ := net.SplitHostPort(own.Addr)
	node := own.Dial(t, "app").Do("CLUSTER", "SLOTS").Elems[0].Elems[2]
	if string(node.Elems[0].Str) != host || fmt.Sprint(node.Elems[1].Int) != port {
		t.Errorf("the node is at %s:%d, it was reached at %s", node.Elems[0].Str, node.Elems[1].Int, own.Addr)
	}
}
