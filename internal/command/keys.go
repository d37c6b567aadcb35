package command

import (
	"bytes"
)

// ArityOK reports whether the number of arguments fits the command.
func (s *Spec) ArityOK(n int) bool {
	if s.Arity < 0 {
		return n >= -s.Arity
	}
	return n == s.Arity
}

// KeyRef is one key among the arguments: where it stands and what the command does with it.
type KeyRef struct {
	Arg   int
	Flags KeyFlag
}

// KeysOf appends the keys of a request to refs[:0]; false means that the arguments that count keys are invalid, so that
// nobody can say which keys the request names. The number of arguments must fit the arity.
func (s *Spec) KeysOf(args [][]byte, refs []KeyRef) ([]KeyRef, bool) {
	refs = refs[:0]
	if s.GetKeys != nil {
		at, ok := s.GetKeys(args)
		for _, i := range at {
			refs = append(refs, KeyRef{i, s.Keys[0].Flags})
		}
		return refs, ok
	}
	if s.KeyFlags != nil {
		return append(refs, KeyRef{s.Keys[0].Begin, s.KeyFlags(args)}), true
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		first := k.Begin
		if k.Keyword != "" {
			if first = k.afterKeyword(args); first < 0 {
				continue
			}
		}
		var ok bool
		if refs, ok = k.collect(args, first, refs); !ok {
			return refs, false
		}
	}
	return refs, true
}

func (k *KeySpec) afterKeyword(args [][]byte) int {
	if k.Place != nil {
		return k.Place(args)
	}
	if k.From >= 0 {
		for i := k.From; i < len(args)-1; i++ {
			if bytes.EqualFold(args[i], []byte(k.Keyword)) {
				return i + 1
			}
		}
		return -1
	}
	for i := len(args) + k.From; i > 0; i-- {
		if bytes.EqualFold(args[i], []byte(k.Keyword)) && i+1 < len(args) {
			return i + 1
		}
	}
	return -1
}

func (k *KeySpec) collect(args [][]byte, first int, refs []KeyRef) ([]KeyRef, bool) {
	if k.HasCount {
		at := first + k.CountAt
		if at >= len(args) {
			return refs, false
		}
		n, ok := ParseInt(args[at])
		if !ok || n < 1 || n > int64(len(args)-first-k.FirstKey) {
			return refs, false
		}
		for i := range int(n) {
			refs = append(refs, KeyRef{first + k.FirstKey + i*max(k.Step, 1), k.Flags})
		}
		return refs, true
	}
	last := first + k.Last
	if k.Last < 0 {
		last = len(args) + k.Last
		if k.Limit > 1 {
			last = first + (len(args)-first)/k.Limit + k.Last
		}
	}
	for i := first; i <= last && i < len(args); i += max(k.Step, 1) {
		refs = append(refs, KeyRef{i, k.Flags})
	}
	return refs, true
}

// lastNamed is a KeySpec's Place for the key behind an option: of several the last counts, as it does for those who read the
// options. from is where these begin, and skips says how many arguments belong to others.
func lastNamed(from int, option string, skips map[string]int) func(args [][]byte) int {
	return func(args [][]byte) int {
		at := -1
		for i := from; i < len(args)-1; i++ {
			if word(args[i], option) {
				i++
				at = i
				continue
			}
			for other, n := range skips {
				if word(args[i], other) {
					i += n
					break
				}
			}
		}
		return at
	}
}
