package resp

// NumberLength is how much of the beginning of s C's strtod reads as a number, without space before it. What strconv is given
// and does not take it copies into its error, which stays on the heap: values that may be no numbers are asked this first.
func NumberLength[T ~string | ~[]byte](s T) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	switch {
	case hasWord(s, i, "infinity"):
		return i + 8
	case hasWord(s, i, "inf"), hasWord(s, i, "nan"):
		return i + 3
	case hasWord(s, i, "0x"):
		// Where no digit follows, the number is the 0.
		return max(mantissa(s, i+2, isHexDigit, 'p'), i+1)
	}
	return mantissa(s, i, isDigit, 'e')
}

// hasWord reports whether a word of small letters, in letters of any size, stands at a place.
func hasWord[T ~string | ~[]byte](s T, at int, word string) bool {
	if len(s)-at < len(word) {
		return false
	}
	for i := range len(word) {
		if c := s[at+i]; c != word[i] && (c|0x20 != word[i] || word[i] < 'a') {
			return false
		}
	}
	return true
}

// mantissa is where digits with a point among them and an exponent behind them end, 0 when there are no digits.
func mantissa[T ~string | ~[]byte](s T, i int, isPart func(byte) bool, exponent byte) int {
	digits := 0
	for point := false; i < len(s) && (isPart(s[i]) || s[i] == '.' && !point); i++ {
		if s[i] == '.' {
			point = true
		} else {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && s[i]|0x20 == exponent {
		e := i + 1
		if e < len(s) && (s[e] == '-' || s[e] == '+') {
			e++
		}
		if e < len(s) && isDigit(s[e]) {
			for i = e; i < len(s) && isDigit(s[i]); i++ {
			}
		}
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
