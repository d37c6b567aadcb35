package model

import (
	"math"
	"slices"
	"strings"
)

// JudgeToken says what can be said of a password without it. It keeps nothing of text.
func JudgeToken(text string) Token {
	t := Token{Length: int64(len(text)), ASCII: true}
	fits := map[string]bool{"api": true, "clinical": true, "architecting": true}
	for _, c := range []byte(text) {
		printable := c > ' ' && c <= '~'
		t.ASCII = t.ASCII && printable
		letter := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && !strings.ContainsRune("!&#$^<>-", rune(c)) {
			fits["api"] = false
		}
		if !printable || strings.ContainsRune("/'@", rune(c)) {
			fits["clinical"] = false
		}
		if !printable || strings.ContainsRune(`/"@`, rune(c)) {
			fits["architecting"] = false
		}
	}
	for _, name := range []string{"api", "architecting", "clinical"} {
		if fits[name] {
			t.Charsets = append(t.Charsets, name)
		}
	}
	t.Common = isCommon(text)
	t.Bits = int64(entropy(text))
	return t
}

// commonWords are those that passwords of caches are made of, most of them from the examples in manuals.
func commonWords() []string {
	return []string{
		"password", "passw0rd", "redis", "valkey", "secret", "admin", "changeme", "changeit", "letmein", "welcome", "qwerty", "foobared",
		"default", "test", "cache", "token", "master", "root", "example", "elasticache", "health", "hospital", "patient", "mypass", "abc123",
		"123456", "your", "strong", "replace", "dummy",
	}
}

// isCommon says whether nothing is left of a password when common words and decoration are taken away.
func isCommon(text string) bool {
	rest := strings.ToLower(text)
	for _, w := range commonWords() {
		rest = strings.ReplaceAll(rest, w, "")
	}
	return len(strings.Trim(rest, "0123456789!@#$%^&*()_-+=.,?<> ")) <= 2 && len(text) > 0
}

// entropy estimates bits: the length, less what repeats, follows a sequence or belongs to a common word, times the bits of
// the kinds of characters that are used. It errs on the low side for words and on the high side for nothing random.
func entropy(text string) float64 {
	lower := strings.ToLower(period(text))
	effective := 0.0
	for i := 0; i < len(lower); {
		if n := wordAt(lower[i:]); n > 0 {
			effective += 2 // a word is worth two characters
			i += n
			continue
		}
		near := i > 0 && max(lower[i], lower[i-1])-min(lower[i], lower[i-1]) <= 1
		if near {
			effective += 0.25
		} else {
			effective++
		}
		i++
	}
	return effective * math.Log2(float64(max(2, alphabet(text))))
}

func wordAt(s string) int {
	longest := 0
	for _, w := range commonWords() {
		if strings.HasPrefix(s, w) {
			longest = max(longest, len(w))
		}
	}
	return longest
}

// period returns the shortest text whose repetition is s.
func period(s string) string {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return s[:n]
		}
	}
	return s
}

// alphabet counts the characters of the kinds that s uses, and of these no more than four times those that it has: sixteen
// hexadecimal digits are no sixteen letters and digits.
func alphabet(s string) int {
	kinds := 0
	for _, k := range []struct {
		set  string
		size int
	}{{"0123456789", 10}, {"abcdef", 6}, {"ghijklmnopqrstuvwxyz", 20}, {"ABCDEF", 6}, {"GHIJKLMNOPQRSTUVWXYZ", 20}} {
		if strings.ContainsAny(s, k.set) {
			kinds += k.size
		}
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > 'z' || (r > '9' && r < 'A') || (r > 'Z' && r < 'a') }) {
		kinds += 20
	}
	distinct := []byte(s)
	slices.Sort(distinct)
	return min(kinds, 4*len(slices.Compact(distinct)))
}
