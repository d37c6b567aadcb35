package command

// Observer is a Host that keeps what took long, for SLOWLOG and LATENCY. Everything that it returns is limited to the
// caller's tenants. Of a slow command it has the name and the number of arguments: arguments are keys and values.
type Observer interface {
	// SlowCommands are the slow commands of the caller's tenants by users whom the caller may know of, the newest first.
	SlowCommands(caller Conn) []SlowCommand
	// ForgetSlowCommands empties that list.
	ForgetSlowCommands(caller Conn)
	// LatencyEvents are the events of the caller's tenants, by name.
	LatencyEvents(caller Conn) []LatencyEvent
	// ForgetLatencyEvents forgets the events that keep does not want, and returns how many kinds of them there were.
	ForgetLatencyEvents(caller Conn, forget func(name string) bool) int
	// Latencies is how long the calls of a command took that the caller's tenants made; false when it made none.
	Latencies(caller Conn, s *Spec) (LatencyHistogram, bool)
}

// SlowCommand is one command that took long.
type SlowCommand struct {
	ID           int64 // grows with time
	At           int64 // Unix seconds
	Microseconds int64
	Words        []string // Spec.SlowWords
	Client       ClientInfo
}

// LatencyEvent is a kind of thing that took long, and when it did.
type LatencyEvent struct {
	Name    string
	Samples []LatencySample // the oldest first, at least one
	Worst   int64           // milliseconds, of all there ever were
}

// LatencySample is the worst that happened in one second.
type LatencySample struct {
	At           int64 // Unix seconds
	Milliseconds int64
}

// LatencyHistogram counts calls by how long they took.
type LatencyHistogram struct {
	Calls   uint64
	Buckets [LatencyBuckets]uint64 // the number i has those that took at most 2^i microseconds, and more than 2^(i-1)
}

// LatencyBuckets is the number of buckets; the last one has whatever took longer than those before.
const LatencyBuckets = 24

// observer is the host's Observer, or one that has seen nothing.
func (c *Call) observer() Observer {
	if o, ok := c.Conn.Host().(Observer); ok {
		return o
	}
	return blind{}
}

// blind has seen nothing.
type blind struct{}

func (blind) SlowCommands(Conn) []SlowCommand                    { return nil }
func (blind) ForgetSlowCommands(Conn)                            {}
func (blind) LatencyEvents(Conn) []LatencyEvent                  { return nil }
func (blind) ForgetLatencyEvents(Conn, func(string) bool) int    { return 0 }
func (blind) Latencies(Conn, *Spec) (h LatencyHistogram, _ bool) { return h, false }
