package identity

import (
	"bytes"
	"math/bits"
)

// Access is what a command does with a key, as the key specifications of the command table say.
type Access uint8

const (
	// Read is to return what a key holds, or something derived from it.
	Read Access = 1 << iota
	// Write is to change, replace or delete what a key holds.
	Write
)

// Permissions are the compiled rules of one user. They never change, so they may be shared and used concurrently; no method
// keeps what it is given or allocates. The zero value and nil permit nothing; rules that name nothing permit AUTH, HELLO,
// QUIT and RESET.
//
// Rules may have alternatives, which Redis calls selectors: a command is permitted when one of them permits it whole,
// command, keys and channels. [Permissions.Paths] follows them; Command, Key and Channel speak for the first one, the root,
// alone. For rules without selectors both say the same; for others the second way grants less, never more.
type Permissions struct {
	root    selector
	more    []selector
	state   state
	byFirst bool // some rule is about a first argument
}

// state is whether rules say on or off.
type state uint8

const (
	unsaid state = iota
	saidOn
	saidOff
)

// selector is one alternative.
type selector struct {
	all      bool          // the rules begin with +@all
	rules    []commandRule // what follows, in order
	commands bitmap        // what both come to, the unrestricted commands included
	first    []firstArgument

	allKeys     bool
	keys        []keyRule
	allChannels bool
	channels    []glob
}

// commandRule is +@category or -@category, or if there is no category, +command or -command, or +command|first.
type commandRule struct {
	allow    bool
	category string
	id       int
	first    string
}

type keyRule struct {
	access Access
	glob   glob
}

// bitmap has a bit for each command identifier.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(id int) bool {
	word := uint(id) >> 6
	return word < uint(len(b)) && b[word]&(1<<(uint(id)&63)) != 0
}

func (b bitmap) set(id int, value bool) {
	if value {
		b[uint(id)>>6] |= 1 << (uint(id) & 63)
		return
	}
	b[uint(id)>>6] &^= 1 << (uint(id) & 63)
}

// Command tells whether the root selector permits the command with this identifier of the table.
func (p *Permissions) Command(id int) bool { return p != nil && p.root.commands.has(id) }

// Enabled tells whether the rules say on or off, and whether they say either.
func (p *Permissions) Enabled() (on, said bool) {
	if p == nil {
		return false, false
	}
	return p.state == saidOn, p.state != unsaid
}

// Key tells whether the root selector permits all of need on key. A need of zero (EXISTS, TYPE: neither reading the value
// nor changing it) asks for a pattern that covers the key, whatever its access, as in Redis.
func (p *Permissions) Key(key []byte, need Access) bool { return p != nil && p.root.key(key, need) }

// SomeKey tells whether any alternative permits all of need on key, for commands that list keys without naming any.
func (p *Permissions) SomeKey(key []byte, need Access) bool {
	if p == nil {
		return false
	}
	if p.root.key(key, need) {
		return true
	}
	for i := range p.more {
		if p.more[i].key(key, need) {
			return true
		}
	}
	return false
}

// Channel tells whether the root selector permits publishing or subscribing to the channel.
func (p *Permissions) Channel(channel []byte) bool { return p != nil && p.root.channel(channel) }

// ChannelPattern tells whether the root selector permits PSUBSCRIBE to a pattern: it must be granted word for word, since
// a pattern that is merely covered by another could reach channels that the other does not.
func (p *Permissions) ChannelPattern(pattern []byte) bool {
	return p != nil && p.root.channelPattern(pattern)
}

// Paths is the set of alternatives that permit all that was asked so far. Zero is a refusal, whatever is asked next.
type Paths uint64

// maxSelectors is the number of alternatives beside the root: a bit of Paths each.
const maxSelectors = 63

// Paths returns the alternatives that permit a command, be it with some first argument only: [Permissions.PathsOf] is about one
// call.
func (p *Permissions) Paths(id int) Paths {
	if p == nil {
		return 0
	}
	var paths Paths
	if p.root.some(id) {
		paths = 1
	}
	for i := range p.more {
		if p.more[i].some(id) {
			paths |= 2 << i
		}
	}
	return paths
}

// WithKey keeps the alternatives that permit all of need on key too.
func (p *Permissions) WithKey(paths Paths, key []byte, need Access) Paths {
	return p.keep(paths, func(s *selector) bool { return s.key(key, need) })
}

// WithChannel keeps the alternatives that permit the channel too.
func (p *Permissions) WithChannel(paths Paths, channel []byte) Paths {
	return p.keep(paths, func(s *selector) bool { return s.channel(channel) })
}

// WithChannelPattern keeps the alternatives that permit PSUBSCRIBE to the pattern too.
func (p *Permissions) WithChannelPattern(paths Paths, pattern []byte) Paths {
	return p.keep(paths, func(s *selector) bool { return s.channelPattern(pattern) })
}

func (p *Permissions) keep(paths Paths, permits func(*selector) bool) Paths {
	if p == nil {
		return 0
	}
	for left := paths; left != 0; left &= left - 1 {
		bit := left & -left
		if i := bits.TrailingZeros64(uint64(bit)); i > len(p.more) || !permits(p.selector(i)) {
			paths &^= bit
		}
	}
	return paths
}

func (p *Permissions) selector(i int) *selector {
	if i == 0 {
		return &p.root
	}
	return &p.more[i-1]
}

func (s *selector) key(key []byte, need Access) bool {
	if s.allKeys {
		return true
	}
	for i := range s.keys {
		if r := &s.keys[i]; r.access&need == need && r.glob.match(key) {
			return true
		}
	}
	return false
}

func (s *selector) channel(channel []byte) bool {
	if s.allChannels {
		return true
	}
	for i := range s.channels {
		if s.channels[i].match(channel) {
			return true
		}
	}
	return false
}

func (s *selector) channelPattern(pattern []byte) bool {
	if s.allChannels {
		return true
	}
	for i := range s.channels {
		if bytes.Equal([]byte(s.channels[i].text), pattern) {
			return true
		}
	}
	return false
}
