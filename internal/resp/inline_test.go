package resp_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Redis 7.0.15 was asked each of these, where no comment says otherwise.
func TestInline(t *testing.T) {
	t.Parallel()
	f := func(in string, want ...string) {
		t.Helper()
		check(t, resp.DefaultLimits(), in, want...)
	}
	f("PING\r\n", `["PING"]`)
	f("PING\n", `["PING"]`)
	f("PING", "incomplete")
	f("PING\r", "incomplete")
	f("ping  \r\r\n", `["ping"]`)
	f("  \t\r\n", `[]`)
	f("SET k v\r\nGET k\r\n", `["SET" "k" "v"]`, `["GET" "k"]`)
	f("ECHO\ta\r\n", `["ECHO" "a"]`)
	f("a\rb\n", `["a" "b"]`)
	f("ECHO a\vb\r\n", `["ECHO" "a\vb"]`)
	f("\v\fECHO a\r\n", `["ECHO" "a"]`)

	// Double quotes.
	f(`ECHO ""`+"\n", `["ECHO" ""]`)
	f(`"PI"`+"\n", `["PI"]`)
	f(`ECHO a"b c"`+"\n", `["ECHO" "ab c"]`)
	f(`ECHO "a"`+"\v\n", `["ECHO" "a"]`)
	f(`ECHO "a\x41\n\q"`+"\n", `["ECHO" "aA\nq"]`)
	f(`ECHO "\r\t\b\a\\\""`+"\n", `["ECHO" "\r\t\b\a\\\""]`)
	f(`ECHO "\xfF\x0a\x4" "\xg1"`+"\n", `["ECHO" "\xff\nx4" "xg1"]`)
	f(`ECHO "it's"`+"\n", `["ECHO" "it's"]`)
	f(`SET "a b" "c\x00d" e`+"\n", `["SET" "a b" "c\x00d" "e"]`)

	// Single quotes.
	f(`ECHO ''`+"\n", `["ECHO" ""]`)
	f(`ECHO 'a\'b\n"'`+"\n", `["ECHO" "a'b\\n\""]`)
	f(`ECHO 'a b' c`+"\n", `["ECHO" "a b" "c"]`)
	f(`ECHO \n`+"\n", `["ECHO" "\\n"]`)
}

func TestInlineErrors(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		check(t, resp.DefaultLimits(), in, "ERR Protocol error: "+want)
	}
	const unbalanced = "unbalanced quotes in request"
	f(`ECHO "a"b`+"\n", unbalanced)
	f(`ECHO "a`+"\n", unbalanced)
	f(`ECHO 'a`+"\n", unbalanced)
	f(`ECHO 'a'b`+"\n", unbalanced)
	f(`ECHO "a""b"`+"\n", unbalanced)
	f(`ECHO "\"`+"\n", unbalanced)
	f(`ECHO '\'`+"\n", unbalanced)
	f(`"`+"\n", unbalanced)
	f(`"\`+"\n", unbalanced)
	f(`"\x4`+"\n", unbalanced)
	f("a\x00b\n", "null byte in inline request") // Redis waits for ever
	f("\x16\x03\x01\x00\n", "null byte in inline request")
	f(strings.Repeat("a", 65537), "too big inline request")
	f(strings.Repeat("a", 65537)+"\n", "too big inline request") // Redis takes it when it comes in one read
	check(t, resp.DefaultLimits(), strings.Repeat("a", 65536)+"\n", `["`+strings.Repeat("a", 65536)+`"]`)
}
