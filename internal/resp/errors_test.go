package resp_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(resp.WrongNumberOfArguments("config|get"), "ERR wrong number of arguments for 'config|get' command")
	f(resp.InvalidExpireTime("setex"), "ERR invalid expire time in 'setex' command")
	f(resp.AtLeastOneKey("zinter"), "ERR at least 1 input key is needed for 'zinter' command")
	f(resp.NoPermCommand("set"), "NOPERM this user has no permissions to run the 'set' command")
	f(resp.UnknownSubcommand("config", []byte("foo")), "ERR unknown subcommand 'foo'. Try CONFIG HELP.")
	f(resp.UnknownSubcommand("acl", []byte("a b")), "ERR unknown subcommand '?'. Try ACL HELP.")

	name := func(in, want string) {
		t.Helper()
		f(resp.UnknownCommand([]byte(in)), "ERR unknown command '"+want+"', with args beginning with: ")
	}
	name("foo", "foo")
	name("JSON.GET", "JSON.GET")
	name("ft._list-x|9", "ft._list-x|9")
	name(strings.Repeat("a", 32), strings.Repeat("a", 32))
	name(strings.Repeat("a", 33), "?")
	name("", "?")
	name("a b", "?")
	name("TENANT001:patient:1", "?")
	name("a@b", "?")
	name("a[", "?")
	name("a\r\n", "?")
	name("é", "?")
}
