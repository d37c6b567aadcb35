package register

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Entry is one text, or the fact that it was removed.
type Entry struct {
	Name    string `json:"name"`
	Content string `json:"content,omitempty"`
	// Sum is the hash of the content, which alone is kept on the disk: the texts themselves are in their owner's file.
	Sum  string `json:"sum,omitempty"`
	Gone bool   `json:"gone,omitempty"`
	// At is when it was changed, in Unix milliseconds, and later than every change that its author knew of.
	At int64 `json:"at"`
	// Version is what the text says of itself, if texts of its kind do: the greater stands, whenever it came. 0: nothing.
	Version int64 `json:"version,omitempty"`
	// Base is true for what was there before it was shared: any change is later than that, and so is any removal.
	Base bool `json:"base,omitempty"`
	// Origin is the gateway where it was changed, Number the place among that gateway's changes.
	Origin string `json:"origin"`
	Number uint64 `json:"number"`
}

// Same reports whether both say the same, whoever said it.
func (e *Entry) Same(other *Entry) bool { return e.Gone == other.Gone && e.Sum == other.Sum }

// summed is the entry with the hash of its content.
func (e Entry) summed() Entry {
	e.Sum = ""
	if !e.Gone {
		h := sha256.Sum256([]byte(e.Content))
		e.Sum = hex.EncodeToString(h[:])
	}
	return e
}

// compare orders entries of one name: the greater stands. It does not depend on who compares. Of changes in the same
// millisecond a removal stands, and otherwise the text with the greater hash: which one does not matter, that all choose it does.
func (e *Entry) compare(other *Entry) int {
	return cmp.Or(
		cmp.Compare(e.Version, other.Version),
		compareBool(!e.Base, !other.Base),
		cmp.Compare(e.At, other.At),
		compareBool(e.Gone, other.Gone),
		strings.Compare(e.Sum, other.Sum),
		strings.Compare(e.Origin, other.Origin),
		cmp.Compare(e.Number, other.Number),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// Batch is the entries that one gateway's changes between two numbers have left. Changes that later ones have replaced are
// not in it, so numbers have gaps.
type Batch struct {
	Origin  string  `json:"origin"`
	After   uint64  `json:"after"`
	Through uint64  `json:"through"`
	Entries []Entry `json:"entries"`
}

const (
	maxName   = 256
	maxOrigin = 64
)

// sound reports whether a batch that somebody sent is one.
func (b *Batch) sound() bool {
	if b.Origin == "" || len(b.Origin) > maxOrigin || b.Through <= b.After {
		return false
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Name == "" || len(e.Name) > maxName || e.Origin != b.Origin || e.Number <= b.After || e.Number > b.Through || e.Gone != (e.Content == "") {
			return false
		}
	}
	return true
}
