package command

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/glob"
)

// ChannelUse says what the arguments of a command have to do with channels.
type ChannelUse uint8

// The uses. The zero ChannelUse is none.
const (
	ChannelPublish   ChannelUse = iota + 1 // the first argument is a channel
	ChannelSubscribe                       // all arguments are channels
	ChannelPattern                         // all arguments are patterns
)

// SubscriptionKind is one of the three ways to subscribe.
type SubscriptionKind uint8

// The kinds.
const (
	ToChannel SubscriptionKind = iota
	ToPattern
	ToShardChannel
)

// Subscriber is what a connection does for publish and subscribe. Channels belong to tenants as keys do.
type Subscriber interface {
	// Subscribe adds names to what the connection hears, and answers for each.
	Subscribe(c *Call, kind SubscriptionKind, names [][]byte)
	// Unsubscribe takes names away, all of the kind when there are none, and answers for each.
	Unsubscribe(c *Call, kind SubscriptionKind, names [][]byte)
	// Publish sends a message to the channel's subscribers and returns how many there are.
	Publish(c *Call, shard bool, channel, message []byte) int
	// Channels calls f for each channel of the caller's tenants that has subscribers.
	Channels(shard bool, f func(name []byte))
	// Subscribers counts the subscribers of a channel.
	Subscribers(shard bool, channel []byte) int
	// Patterns counts the patterns of the caller's tenants that have subscribers.
	Patterns() int
	// Subscribed reports whether the connection hears anything that keeps a RESP2 client from other commands.
	Subscribed() bool
}

// Pushes reports whether the command's reply is a push, which reaches a client whatever CLIENT REPLY says: those of
// subscribing and its opposites are.
func (c *Call) Pushes() bool { return c.Spec != nil && strings.HasSuffix(c.Spec.upper, "SUBSCRIBE") }

func pubsubCommands() []*Spec {
	const flags = PubSub | NoScript | Loading | Stale
	shardKeys := func(last int) []KeySpec { return []KeySpec{{Begin: 1, Last: last, Step: 1, Flags: KeyNot}} }
	sub := func(name, since, summary, syntax string, kind SubscriptionKind, use ChannelUse) *Spec {
		s := &Spec{Name: name, Arity: -2, Flags: flags, Group: "pubsub", Since: since, Summary: summary, Syntax: syntax, Channels: use,
			Complexity: "O(N) with N names", Action: ActionList,
			Run: func(c *Call) { c.Conn.Subscribe(c, kind, c.Args[1:]) }}
		if kind == ToShardChannel {
			s.Keys = shardKeys(-1)
		}
		return s
	}
	unsub := func(name, since, summary, syntax string, kind SubscriptionKind) *Spec {
		s := &Spec{Name: name, Arity: -1, Flags: flags, Group: "pubsub", Since: since, Summary: summary, Syntax: syntax,
			Complexity: "O(N) with N names",
			Run:        func(c *Call) { c.Conn.Unsubscribe(c, kind, c.Args[1:]) }}
		if kind == ToShardChannel {
			s.Keys = shardKeys(-1)
		}
		return s
	}
	publish := func(name, since, summary, syntax string, shard bool) *Spec {
		s := &Spec{Name: name, Arity: 3, Flags: PubSub | Loading | Stale | Fast | MayReplicate, Group: "pubsub", Since: since, Summary: summary, Syntax: syntax,
			Complexity: "O(N+M) with N subscribers and M patterns of the tenant",
			Action:     ActionWrite, Channels: ChannelPublish,
			Run: func(c *Call) { c.Out.Int(int64(c.Conn.Publish(c, shard, c.Args[1], c.Args[2]))) }}
		if shard {
			s.Keys = shardKeys(0)
			s.Complexity = "O(N) with N subscribers"
		}
		return s
	}
	return []*Spec{
		sub("SUBSCRIBE", "2.0.0", "Hears what is published on channels of the caller's tenants.", "channel [channel ...]", ToChannel, ChannelSubscribe),
		sub("PSUBSCRIBE", "2.0.0", "Hears what is published on channels of the caller's tenants that match patterns.", "pattern [pattern ...]", ToPattern, ChannelPattern),
		sub("SSUBSCRIBE", "7.0.0", "Hears what is published on shard channels of the caller's tenants.", "shardchannel [shardchannel ...]", ToShardChannel, ChannelSubscribe),
		unsub("UNSUBSCRIBE", "2.0.0", "Stops hearing channels.", "[channel [channel ...]]", ToChannel),
		unsub("PUNSUBSCRIBE", "2.0.0", "Stops hearing patterns.", "[pattern [pattern ...]]", ToPattern),
		unsub("SUNSUBSCRIBE", "7.0.0", "Stops hearing shard channels.", "[shardchannel [shardchannel ...]]", ToShardChannel),
		publish("PUBLISH", "2.0.0", "Sends a message to the subscribers of a channel, within its tenant.", "channel message", false),
		publish("SPUBLISH", "7.0.0", "Sends a message to the subscribers of a shard channel, within its tenant.", "shardchannel message", true),
		pubsubCommand(),
	}
}

func pubsubCommand() *Spec {
	const flags = PubSub | Loading | Stale
	about := func(name string, arity int, since, complexity, summary, syntax string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: flags, Since: since, Complexity: complexity, Summary: summary, Syntax: syntax,
			Action: ActionList, Run: run}
	}
	return container("PUBSUB", "2.8.0", "pubsub", "Commands about channels of the caller's tenants.", 0,
		about("CHANNELS", -2, "2.8.0", "O(N) with N channels that have subscribers", "Lists the channels that have subscribers.", "[pattern]",
			func(c *Call) { listChannels(c, false) }),
		about("SHARDCHANNELS", -2, "7.0.0", "O(N) with N channels that have subscribers", "Lists the shard channels that have subscribers.", "[pattern]",
			func(c *Call) { listChannels(c, true) }),
		about("NUMSUB", -2, "2.8.0", "O(N) with N channels asked for",
			"Counts the subscribers of channels.", "[channel [channel ...]]", func(c *Call) { countSubscribers(c, false) }),
		about("SHARDNUMSUB", -2, "7.0.0", "O(N) with N channels asked for",
			"Counts the subscribers of shard channels.", "[shardchannel [shardchannel ...]]", func(c *Call) { countSubscribers(c, true) }),
		about("NUMPAT", 2, "2.8.0", "O(1)", "Counts the patterns that have subscribers.", "", func(c *Call) { c.Out.Int(int64(c.Conn.Patterns())) }),
	)
}

func listChannels(c *Call, shard bool) {
	if len(c.Args) > 3 {
		c.Error("ERR unknown subcommand or wrong number of arguments for '" + shown(c.Args[1]) + "'. Try PUBSUB HELP.")
		return
	}
	mark, n := c.Out.DeferredArray(), 0
	c.Conn.Channels(shard, func(name []byte) {
		if len(c.Args) == 2 || glob.Match(c.Args[2], name) {
			c.Out.Bulk(name)
			n++
		}
	})
	c.Out.SetArrayLen(mark, n)
	c.Count = n
}

func countSubscribers(c *Call, shard bool) {
	names := c.Args[2:]
	c.Out.Array(2 * len(names))
	for _, name := range names {
		c.Out.Bulk(name)
		c.Out.Int(int64(c.Conn.Subscribers(shard, name)))
	}
}
