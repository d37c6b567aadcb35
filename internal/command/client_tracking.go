package command

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Tracking is what CLIENT TRACKING chooses for a connection.
type Tracking struct {
	Redirect  uint64 // the connection that is told; 0: this one
	Broadcast bool
	Prefixes  []string // with Broadcast
	OptIn     bool
	OptOut    bool
	NoLoop    bool

	Caching bool // CLIENT CACHING was sent for the next command
	Broken  bool // the connection to redirect to has closed
}

// Tracker is what a connection does for client-side caching.
type Tracker interface {
	// Track turns tracking on, or off with nil. False: the connection to redirect to is not there.
	Track(t *Tracking) bool
	// Tracks returns what was chosen; nil: tracking is off.
	Tracks() *Tracking
	// Caching makes the choice of OptIn or OptOut for the next command.
	Caching()
}

func runClientTracking(c *Call) {
	t, ok := c.trackingOptions(3)
	if !ok {
		return
	}
	switch {
	case word(c.Args[2], "OFF"):
		c.Conn.Track(nil)
	case !word(c.Args[2], "ON"):
		c.Error(resp.MsgSyntax)
		return
	default:
		if refusal := combineTracking(t, c.Conn.Tracks()); refusal != "" {
			c.Error("ERR " + refusal)
			return
		}
		if !c.Conn.Track(t) {
			c.Error("ERR The client ID you want redirect to does not exist")
			return
		}
	}
	c.Out.Status("OK")
}

func (c *Call) trackingOptions(from int) (t *Tracking, ok bool) {
	t = &Tracking{}
	args := c.Args
	for i := from; i < len(args); i++ {
		more := i+1 < len(args)
		switch {
		case word(args[i], "REDIRECT") && more:
			i++
			if t.Redirect != 0 {
				c.Error("ERR A client can only redirect to a single other client")
				return nil, false
			}
			id, ok := c.intArg(i)
			if !ok {
				return nil, false
			}
			t.Redirect = uint64(id)
		case word(args[i], "PREFIX") && more:
			i++
			t.Prefixes = append(t.Prefixes, string(args[i]))
		case word(args[i], "BCAST"):
			t.Broadcast = true
		case word(args[i], "OPTIN"):
			t.OptIn = true
		case word(args[i], "OPTOUT"):
			t.OptOut = true
		case word(args[i], "NOLOOP"):
			t.NoLoop = true
		default:
			c.Error(resp.MsgSyntax)
			return nil, false
		}
	}
	return t, true
}

// combineTracking adds what was chosen before to a new choice, and says what does not go together.
func combineTracking(t, before *Tracking) (refusal string) {
	const modeChange = " before disabling tracking for this client, and then re-enabling it with a different mode."
	switch {
	case len(t.Prefixes) > 0 && !t.Broadcast:
		return "PREFIX option requires BCAST mode to be enabled"
	case before != nil && before.Broadcast != t.Broadcast:
		return "You can't switch BCAST mode on/off" + modeChange
	case t.Broadcast && (t.OptIn || t.OptOut):
		return "OPTIN and OPTOUT are not compatible with BCAST"
	case t.OptIn && t.OptOut:
		return "You can't specify both OPTIN mode and OPTOUT mode"
	case before != nil && (t.OptIn && before.OptOut || t.OptOut && before.OptIn):
		return "You can't switch OPTIN/OPTOUT mode" + modeChange
	}
	// The prefixes themselves are not repeated: they may be the beginnings of keys.
	for i, p := range t.Prefixes {
		for _, other := range t.Prefixes[:i] {
			if overlap(p, other) {
				return "Prefix overlaps with another provided prefix. Prefixes for a single client must not overlap."
			}
		}
	}
	if before == nil {
		return ""
	}
	for _, p := range t.Prefixes {
		for _, other := range before.Prefixes {
			if p != other && overlap(p, other) {
				return "Prefix overlaps with an existing prefix. Prefixes for a single client must not overlap."
			}
		}
	}
	for _, other := range before.Prefixes {
		if !containsString(t.Prefixes, other) {
			t.Prefixes = append(t.Prefixes, other)
		}
	}
	return ""
}

func overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

func containsString(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func runClientTrackingInfo(c *Call) {
	t := c.Conn.Tracks()
	flags, redirect := []string{"off"}, int64(-1)
	var prefixes []string
	if t != nil {
		flags, redirect, prefixes = trackingFlags(t), int64(t.Redirect), t.Prefixes
		if t.Broadcast && len(prefixes) == 0 {
			prefixes = []string{""} // which every key has
		}
	}
	c.Out.Map(3)
	c.Out.BulkString("flags")
	c.Out.Set(len(flags))
	for _, f := range flags {
		c.Out.BulkString(f)
	}
	c.Out.BulkString("redirect")
	c.Out.Int(redirect)
	c.Out.BulkString("prefixes")
	c.Out.Array(len(prefixes))
	for _, p := range prefixes {
		c.Out.BulkString(p)
	}
}

func trackingFlags(t *Tracking) []string {
	flags := []string{"on"}
	add := func(on bool, name string) {
		if on {
			flags = append(flags, name)
		}
	}
	add(t.Broadcast, "bcast")
	add(t.OptIn, "optin")
	add(t.OptIn && t.Caching, "caching-yes")
	add(t.OptOut, "optout")
	add(t.OptOut && t.Caching, "caching-no")
	add(t.NoLoop, "noloop")
	add(t.Broken, "broken_redirect")
	return flags
}

func runClientGetRedir(c *Call) {
	if t := c.Conn.Tracks(); t != nil {
		c.Out.Int(int64(t.Redirect))
		return
	}
	c.Out.Int(-1)
}

func runClientCaching(c *Call) {
	t := c.Conn.Tracks()
	yes := word(c.Args[2], "YES")
	switch {
	case t == nil || !t.OptIn && !t.OptOut:
		c.Error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
		return
	case !yes && !word(c.Args[2], "NO"):
		c.Error(resp.MsgSyntax)
		return
	case yes && !t.OptIn:
		c.Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
		return
	case !yes && !t.OptOut:
		c.Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
		return
	}
	c.Conn.Caching()
	c.Out.Status("OK")
}
