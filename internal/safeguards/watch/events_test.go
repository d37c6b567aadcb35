package watch

import (
	"reflect"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

func TestHints(t *testing.T) {
	t.Parallel()
	f := func(arn string, want hint, ok bool) {
		t.Helper()
		if have, is := hintOf(arn); is != ok || is && have != want {
			t.Errorf("%q: have %+v %t, want %+v %t", arn, have, is, want, ok)
		}
	}
	const at = ":us-east-1:111111111111:"
	f("arn:aws:elasticache"+at+"replicationgroup:a", hint{"111111111111", "us-east-1", model.ReplicationGroup, "a"}, true)
	f("arn:aws:elasticache"+at+"cluster:a-001", hint{"111111111111", "us-east-1", model.CacheCluster, "a-001"}, true)
	f("arn:aws:elasticache"+at+"serverlesscache:a", hint{"111111111111", "us-east-1", model.ServerlessCache, "a"}, true)
	f("arn:aws:memorydb"+at+"cluster/a", hint{"111111111111", "us-east-1", model.MemoryDB, "a"}, true)
	f("arn:aws:elasticache"+at+"replicationgroup:", hint{}, false)
	f("arn:aws:elasticache"+at+"snapshot:a", hint{}, false)
	f("arn:aws:rds"+at+"cluster:a", hint{}, false)
	f("replicationgroup:a", hint{}, false)
	f("", hint{}, false)
}

// Whatever comes in a message, reading it ends, gives the same twice, and names only what can be looked at.
func FuzzMessage(f *testing.F) {
	f.Add(`{"source":"aws.elasticache","account":"1","region":"r","resources":["arn:aws:elasticache:r:1:replicationgroup:a"]}`)
	f.Add(`{"source":"aws.elasticache","account":"1","region":"r","detail":{"requestParameters":{"cacheClusterId":"a"}}}`)
	f.Add(`{"source":"aws.elasticache","resources":[1]}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		hints := parseMessage(body)
		if !reflect.DeepEqual(hints, parseMessage(body)) {
			t.Fatal("it is read differently twice")
		}
		for _, h := range hints {
			if h.cacheID == "" || h.kind == "" {
				t.Fatalf("%+v names nothing", h)
			}
		}
	})
}
