package engine

// A small collection is packed: its elements lie side by side in the entry's value part, each string behind one byte that
// holds its length. There is nothing between the elements and nothing to follow, so a small collection costs little more
// than its bytes, and finding a member is a walk over at most a few kilobytes that the processor's prefetcher likes.

// Redis's limits (hash-max-listpack-entries and its relatives, 7.2): beyond them a collection gets a table.
const (
	maxPacked      = 128 // elements
	maxPackedBytes = 64  // of each string
)

// packable reports whether a string may stand in a packed collection.
func packable(s []byte) bool { return len(s) <= maxPackedBytes }

// unpack returns the string at a place of a run, and the place behind it.
func unpack(run []byte, at int) ([]byte, int) {
	from := at + 1
	to := from + int(run[at])
	return run[from:to:to], to
}

// pack writes a string at a place of a run and returns the place behind it.
func pack(run []byte, at int, s []byte) int {
	run[at] = byte(len(s))
	return at + 1 + copy(run[at+1:], s)
}

// packedLen is how many bytes pack writes.
func packedLen(s []byte) int { return 1 + len(s) }

// packedIs reports whether a packed string, with its length, is s. Most are not: they differ in length or in the last byte,
// which spares the call that compares them.
func packedIs(p, s []byte) bool {
	last := len(p) - 1
	return last == len(s) && (last == 0 || p[last] == s[last-1] && string(p[1:]) == string(s))
}

// findPacked returns the place of a member in a run of strings without anything between them; false where there is none.
func findPacked(run, member []byte) (int, bool) {
	for at := 0; at < len(run); {
		next := at + 1 + int(run[at])
		if packedIs(run[at:next], member) {
			return at, true
		}
		at = next
	}
	return 0, false
}
