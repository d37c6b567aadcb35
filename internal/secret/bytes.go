package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// mask is what every printer shows in place of a secret.
const mask = "[secret]"

// Bytes holds secret bytes out of the reach of every printer. The bytes live in the variables of a func, where reflection
// does not go: fmt follows pointers and unexported fields, and calls no method of a value that it finds in one.
//
// The zero Bytes is empty. Copies share the same bytes, so clearing one clears all. Reveal and Equal may be called
// concurrently; Clear must not run beside them.
type Bytes struct {
	held func() *[]byte
}

// New takes b over: the caller must neither keep nor change it.
func New(b []byte) Bytes {
	return Bytes{held: func() *[]byte { return &b }}
}

// Reveal returns the bytes themselves, not a copy: they are valid until Clear and must not be changed.
func (s Bytes) Reveal() []byte {
	if s.held == nil {
		return nil
	}
	return *s.held()
}

// Len is the number of bytes held.
func (s Bytes) Len() int { return len(s.Reveal()) }

// Equal tells whether both hold the same bytes, in a time that depends on the lengths only.
func (s Bytes) Equal(other Bytes) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), other.Reveal()) == 1
}

// Clear overwrites the bytes and forgets them, for all copies.
func (s Bytes) Clear() {
	if s.held == nil {
		return
	}
	b := s.held()
	clear(*b)
	*b = nil
}

// Format prints the mask for every verb and flag.
func (s Bytes) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask)) }

// String returns the mask.
func (s Bytes) String() string { return mask }

// MarshalText gives the mask to encoding/json, encoding/xml and their like.
func (s Bytes) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalYAML gives the mask to the YAML encoder.
func (s Bytes) MarshalYAML() (any, error) { return mask, nil }

// LogValue gives the mask to log/slog.
func (s Bytes) LogValue() slog.Value { return slog.StringValue(mask) }
