package command

import (
	"strconv"
	"strings"
)

// Redacted is what Redis shows in the place of an argument that its slow log leaves out.
const Redacted = "(redacted)"

// maxSlowWords is how many words of a command Redis's slow log has: where there are more, the last says how many.
const maxSlowWords = 32

// SlowWords returns what SLOWLOG shows of a call: the command's name as it was typed, and of its arguments those that the table
// calls plain. All others are keys, values or secrets, and Redis's word for those stands in their place.
func (s *Spec) SlowWords(args [][]byte) []string {
	words := make([]string, 0, min(len(args), maxSlowWords))
	for i := range 1 + strings.Count(s.FullName(), "|") {
		words = append(words, string(args[i]))
	}
	for i := len(words); i < len(args); i++ {
		if left := len(args) - i; len(words) == maxSlowWords-1 && left > 1 {
			return append(words, "... ("+strconv.Itoa(left)+" more arguments)")
		}
		shown := Redacted
		if s.Plain != nil && s.Plain(args, i) {
			shown = string(args[i])
		}
		words = append(words, shown)
	}
	return words
}

// plainNotices is CONFIG SET's Plain: the one setting that there is for clients, and classes of events.
func plainNotices(args [][]byte, i int) bool {
	if string(lower(args[i&^1])) != noticesSetting {
		return false
	}
	_, known := ParseNotices(args[i])
	return i&1 == 0 || known
}
