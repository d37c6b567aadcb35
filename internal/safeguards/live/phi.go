package live

import (
	"bytes"
	"unicode"
)

// phiWords are parts of key names that mean patients' data in the resources of FHIR and in the names that teams use.
func phiWords() []string {
	return []string{
		"patient", "mrn", "ssn", "dob", "fhir", "encounter", "observation", "condition", "diagnos", "medication", "prescription",
		"allergy", "immunization", "careplan", "claim", "coverage", "member", "beneficiary", "phi", "health", "ehr", "emr", "lab", "clinical",
	}
}

// LooksLikePHI says whether a word of the name, as the punctuation cuts it, begins with one of phiWords. Short ones must be
// the whole word: "phi" is not in "delphi", nor "lab" in "label".
func LooksLikePHI(key []byte) bool {
	found := false
	for word := range bytes.FieldsFuncSeq(key, func(r rune) bool { return !unicode.IsLetter(r) }) {
		for _, w := range phiWords() {
			if len(word) < len(w) || !bytes.EqualFold(word[:len(w)], []byte(w)) {
				continue
			}
			found = found || len(w) > 3 || len(word) == len(w) || (len(word) == len(w)+1 && word[len(w)]|0x20 == 's') ||
				(word[len(w)] >= 'A' && word[len(w)] <= 'Z')
		}
	}
	return found
}

// identifier says which kind of identifier a key name seems to hold, or "".
func identifier(key []byte) string {
	switch {
	case hasSSN(key):
		return "ssn"
	case hasEmail(key):
		return "email"
	case hasMRN(key):
		return "mrn"
	case hasBirthDate(key):
		return "birth date"
	}
	return ""
}

// hasShape says whether the pattern occurs, where 9 stands for a digit and the rest for itself, with no digit around it.
func hasShape(key []byte, shape string) bool {
	for i := 0; i+len(shape) <= len(key); i++ {
		fits := true
		for j := 0; j < len(shape) && fits; j++ {
			if shape[j] == '9' {
				fits = isDigit(key[i+j])
			} else {
				fits = key[i+j] == shape[j]
			}
		}
		end := i + len(shape)
		if fits && (i == 0 || !isDigit(key[i-1])) && (end == len(key) || !isDigit(key[end])) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func hasSSN(key []byte) bool { return hasShape(key, "999-99-9999") || after(key, "ssn", 9) }

// hasMRN: a record number is known by its name only.
func hasMRN(key []byte) bool { return after(key, "mrn", 5) }

// after says whether a word is followed, after one sign at most, by at least so many digits.
func after(key []byte, word string, digits int) bool {
	for i := 0; i+len(word) <= len(key); i++ {
		if !bytes.EqualFold(key[i:i+len(word)], []byte(word)) {
			continue
		}
		rest := key[i+len(word):]
		if len(rest) > 0 && !isDigit(rest[0]) {
			rest = rest[1:]
		}
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n >= digits {
			return true
		}
	}
	return false
}

func hasEmail(key []byte) bool {
	at := bytes.IndexByte(key, '@')
	if at < 1 || !isWord(key[at-1]) {
		return false
	}
	host := key[at+1:]
	n := 0
	for n < len(host) && (isWord(host[n]) || host[n] == '.' || host[n] == '-') {
		n++
	}
	dot := bytes.LastIndexByte(host[:n], '.')
	return dot > 0 && n-dot > 2
}

func isWord(c byte) bool { return isDigit(c) || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// hasBirthDate: a date is one of birth where the name says so; other dates in key names are ordinary.
func hasBirthDate(key []byte) bool {
	lower := bytes.ToLower(key)
	defer clear(lower)
	return (bytes.Contains(lower, []byte("dob")) || bytes.Contains(lower, []byte("birth"))) &&
		(hasShape(key, "9999-99-99") || hasShape(key, "99999999"))
}
