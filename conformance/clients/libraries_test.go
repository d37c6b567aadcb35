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
	steps    []string
	upstream int // how many of the first steps it goes through in front of an upstream, where scripts have to declare their keys
}

func libraries() []library {
	return []library{
		{
			program{"BullMQ", "bullmq", npm("--ignore-scripts"), []string{"node", "client.js"}, []int{2, 3}},
			[]string{"connect", "add", "process", "delay", "retry", "priority", "flow", "remove"}, 0,
		},
		{
			program{"Sidekiq", "sidekiq", nil, []string{"ruby", "client.rb"}, []int{2}}, // Debian's, which speaks RESP2
			[]string{"connect", "push", "fetch", "schedule", "retry", "requeue", "reliable fetch"}, 0,
		},
		{
			program{"Redisson", "libraries", maven(), java("RedissonLock"), []int{2, 3}},
			[]string{"connect", "lock", "renew", "unlock", "wait", "others", "read and write"}, 6,
		},
		{
			program{"Bucket4j", "libraries", maven(), java("BucketLimiter"), []int{2, 3}},
			[]string{"connect", "consume", "refill", "compare and swap", "remove"}, 5,
		},
		{
			program{"Spring Cloud Gateway", "libraries", maven(), java("GatewayLimiter"), []int{2, 3}},
			[]string{"connect", "limit", "refill", "keys"}, 4,
		},
		{
			program{"Spring Integration", "libraries", maven(), java("LockRegistry"), []int{2, 3}},
			[]string{"connect", "lock", "renew", "spin lock", "pub/sub lock", "expire"}, 6,
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
			if l.upstream == 0 {
				return
			}
			behind := testkit.StartRedis(t, testkit.RedisOptions{})
			front := startForLibraries(t, "--backend", "upstream", "--upstream-addresses", behind.Socket, "--upstream-tls", "off",
				"--upstream-plaintext", "on")
			if done := l.goThrough(t, front, protocol); !slices.Equal(done, l.steps[:l.upstream]) {
				t.Errorf("in front of an upstream it went through %q, want %q", done, l.steps[:l.upstream])
			}
		})
	}
}

func startForLibraries(t *testing.T, flags ...string) *testkit.Lethe {
	t.Helper()
	return testkit.StartLethe(t, testkit.LetheOptions{
		Policy: librariesPolicy, Flags: flags,
		Users: []testkit.User{{Name: app, Tenants: []string{"TENANT001"},
			Rules: identity.DefaultRules(command.NewTable()) + " +@scripting"}},
	})
}
