package clients

import (
	"slices"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// librariesPolicy keeps locks, limits and queues for as long as their libraries need them.
const librariesPolicy = "../../examples/policies/libraries.yaml"

// library is a program that uses a library which sends scripts of its own, as its packages have them, and the steps that
// it goes through.
type library struct {
	program
	steps []string
}

func libraries() []library {
	return []library{
		{
			program{"BullMQ", "bullmq", npm("--ignore-scripts"), []string{"node", "client.js"}, []int{2, 3}},
			[]string{"connect", "add", "process", "delay", "retry", "priority", "flow", "remove"},
		},
		{
			program{"Sidekiq", "sidekiq", nil, []string{"ruby", "client.rb"}, []int{2}}, // Debian's, which speaks RESP2
			[]string{"connect", "push", "fetch", "schedule", "retry", "requeue", "reliable fetch"},
		},
		{
			program{"Redisson", "libraries", maven(), java("RedissonLock"), []int{2, 3}},
			[]string{"connect", "lock", "renew", "unlock", "wait", "others"},
		},
		{
			program{"Bucket4j", "libraries", maven(), java("BucketLimiter"), []int{2, 3}},
			[]string{"connect", "consume", "refill", "compare and swap", "remove"},
		},
		{
			program{"Spring Cloud Gateway", "libraries", maven(), java("GatewayLimiter"), []int{2, 3}},
			[]string{"connect", "limit", "refill", "keys"},
		},
		{
			program{"Spring Integration", "libraries", maven(), java("LockRegistry"), []int{2, 3}},
			[]string{"connect", "lock", "renew", "spin lock", "pub/sub lock", "expire"},
		},
	}
}

// TestLibraries runs libraries that put scripts into the server as applications do, each beside a policy that knows its
// keys. The scripts are those of the published packages, which are installed first.
func TestLibraries(t *testing.T) {
	var programs []program
	for _, l := range libraries() {
		programs = append(programs, l.program)
	}
	install(t, programs)
	for _, l := range libraries() {
		l.each(t, func(t *testing.T, protocol int) {
			if done := l.goThrough(t, startForLibraries(t), protocol); !slices.Equal(done, l.steps) {
				t.Errorf("went through %q, want %q", done, l.steps)
			}
		})
	}
}

func startForLibraries(t *testing.T) *testkit.Lethe {
	t.Helper()
	return testkit.StartLethe(t, testkit.LetheOptions{
		Policy: librariesPolicy,
		Users: []testkit.User{{Name: app, Tenants: []string{"TENANT001"},
			Rules: identity.DefaultRules(command.NewTable()) + " +@scripting"}},
	})
}
