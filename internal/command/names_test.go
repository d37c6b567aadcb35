package command_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// TestNames finds every command by its name in any case, and by nothing that only resembles it.
func TestNames(t *testing.T) {
	table := command.NewTable()
	find := func(name string) *command.Spec {
		s, _ := table.Lookup([][]byte{[]byte(name)})
		return s
	}
	mixed := func(name string) string {
		return strings.ToLower(name[:1]) + name[1:len(name)-1] + strings.ToLower(name[len(name)-1:])
	}
	for _, name := range table.Names() {
		for _, known := range []string{name, strings.ToLower(name), mixed(name)} {
			if s := find(known); s == nil || s.Name != name {
				t.Errorf("%q is not found", known)
			}
		}
		// Bits are turned that make a letter of another byte, or another letter of it.
		for _, unknown := range []string{name + "\x00", "\x00" + name, name + " ", flip(name, 0x80), flip(name, 0x40), name + "|"} {
			if s := find(unknown); s != nil {
				t.Errorf("%q is taken for %s", unknown, s.Name)
			}
		}
	}
	for _, unknown := range []string{"", "\x00", "CONFIG|GET", "`", "{"} {
		if s := find(unknown); s != nil {
			t.Errorf("%q is taken for %s", unknown, s.Name)
		}
	}
}

// flip turns bits of a name's last byte.
func flip(name string, bits byte) string {
	last := len(name) - 1
	return name[:last] + string([]byte{name[last] ^ bits})
}
