package command_test

import (
	"strconv"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// A text is a number if it is how that number is written.
func FuzzParseInt(f *testing.F) {
	for _, text := range []string{"", "-", "0", "-0", "00", "01", "-1", "+1", "1 ", " 1", "1x", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551616", "99999999999999999999", "-99999999999999999999", "1e3", "0x1", "1_0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := strconv.ParseInt(text, 10, 64)
		whole := err == nil && strconv.FormatInt(want, 10) == text
		if got, ok := command.ParseInt([]byte(text)); ok != whole || ok && got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	})
}
