package upstream

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"
)

// shelfName is the hash that wrapped data keys lie in, of categories that survive a restart. It is the only thing that gateways
// have upstream beside entries, and ends when the last of those keys has.
const shelfName = "lethe:kept"

// shelfRests is for how long what lies on the shelf stays there at least when nobody looks at it any more.
const shelfRests = time.Hour

// Shelf is the place upstream for a cluster's wrapped data keys: package seal has what they are. It may be used concurrently.
type Shelf struct {
	u *Upstream

	mu   sync.Mutex
	lane *lane
}

// NewShelf returns the shelf of an upstream.
func NewShelf(u *Upstream) *Shelf { return &Shelf{u: u, lane: newLane(u)} }

// Close ends its connections.
func (s *Shelf) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lane.dropAll()
}

var errShelf = errors.New("the upstream does not answer as it should for " + shelfName)

// ask runs commands about the hash, each a command's name and what is behind the key, and gives read the replies.
func (s *Shelf) ask(ctx context.Context, read func([]op) error, commands ...[][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l := s.lane
	l.reset()
	defer l.reset()
	slot := s.u.slotOf([]byte(shelfName))
	for _, c := range commands {
		l.begin(slot, false, 1+len(c))
		l.out = appendArgString(appendArg(l.out, c[0]), shelfName)
		for _, a := range c[1:] {
			l.out = appendArg(l.out, a)
		}
		l.end()
	}
	l.run()
	for i := range l.ops {
		switch o := &l.ops[i]; {
		case o.err != nil:
			return o.err
		case o.reply.isError():
			return errShelf
		}
	}
	if read == nil {
		return nil
	}
	return read(l.ops)
}

func words(name string, args ...string) (all [][]byte) {
	all = append(all, []byte(name))
	for _, a := range args {
		all = append(all, []byte(a))
	}
	return all
}

// until are the commands that have the hash end at an instant and not before.
func until(at int64) [][][]byte {
	text := strconv.FormatInt(at, 10)
	return [][][]byte{words("PEXPIREAT", text, "NX"), words("PEXPIREAT", text, "GT")}
}

func inAWhile() int64 { return time.Now().Add(shelfRests).UnixMilli() }

// Names returns what lies there, and has it stay.
func (s *Shelf) Names(ctx context.Context) (names []string, err error) {
	err = s.ask(ctx, func(o []op) error {
		if o[2].reply.kind != '*' {
			return errShelf
		}
		for i := range o[2].reply.elems {
			names = append(names, string(o[2].reply.elems[i].text))
		}
		return nil
	}, append(until(inAWhile()), words("HKEYS"))...)
	return names, err
}

// Get returns what lies under names, nil for what does not.
func (s *Shelf) Get(ctx context.Context, names []string) (values [][]byte, err error) {
	err = s.ask(ctx, func(o []op) error {
		if o[0].reply.kind != '*' || len(o[0].reply.elems) != len(names) {
			return errShelf
		}
		for i := range names {
			e := &o[0].reply.elems[i]
			if e.null {
				values = append(values, nil)
				continue
			}
			values = append(values, append([]byte{}, e.text...))
		}
		return nil
	}, words("HMGET", names...))
	return values, err
}

// PutFirst puts something under a name where nothing lies.
func (s *Shelf) PutFirst(ctx context.Context, name string, value []byte) error {
	return s.ask(ctx, nil, append([][][]byte{{[]byte("HSETNX"), []byte(name), value}}, until(inAWhile())...)...)
}

// Put puts something under a name, and has all stay until an instant, in Unix milliseconds.
func (s *Shelf) Put(ctx context.Context, name string, value []byte, at int64) error {
	return s.ask(ctx, nil, append([][][]byte{{[]byte("HSET"), []byte(name), value}}, until(at)...)...)
}

// Drop removes names.
func (s *Shelf) Drop(ctx context.Context, names []string) error {
	return s.ask(ctx, nil, words("HDEL", names...))
}
