package command_test

import (
	"strings"
	"testing"
)

// FuzzRestore shows that whatever a stranger restores either is refused and leaves the key, or becomes a value that can
// be dumped and restored again.
func FuzzRestore(f *testing.F) {
	for _, value := range []string{
		"\x00\x05hello", "\x00\xc0\x05", "\x00\xc3\x09\x40\x64\x01aa\xe0\x57\x00\x01aa", // strings
		"\x01\x03\x01a\xc0\x05\x00", "\x12\x02\x01\x03abc\x02\x0c\x0c\x00\x00\x00\x02\x00\x81a\x02\x05\x01\xff", // lists
		"\x02\x03\x01a\x01b\x01a", "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00", // sets
		"\x03\x02\x01a\x011\x01b\xff", "\x05\x01\x01a\x00\x00\x00\x00\x00\x00\x00\x80", // sorted sets
		"\x04\x02\x01f\x01v\x01f\x01w", "\x18\x01\x00\x00\x00\x00\x00\x00\x00\x01\x01\x01f\x01v", // hashes
		"\x0f\x00\x00\x00\x00\x00", "\x13\x00\x00\x05\x00\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x00\x00", // streams
	} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		l := newLab(t)
		l.run("SET", "k", "old")
		reply := l.run("RESTORE", "k", "0", payloadOf(value), "REPLACE")
		if strings.HasPrefix(reply, "-") {
			l.is("$3 old", "GET", "k")
			return
		}
		if l.run("EXISTS", "k") == ":0\r\n" {
			return // a hash whose fields had all passed
		}
		l.is("+OK", "RESTORE", "again", "0", l.dump("k"))
		if first, second := l.run("TYPE", "k"), l.run("TYPE", "again"); first != second {
			t.Errorf("%q became %q", first, second)
		}
		l.run("DEL", "k", "again")
	})
}
