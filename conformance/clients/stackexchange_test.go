package clients

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// StackExchange.Redis, which needs .NET, is shown by what it sends when it connects (ServerEndPoint.cs, HandshakeAsync and
// AutoConfigureAsync): everything in one write, before the first reply has come, and the connection is good when ECHO is
// answered. Earlier releases log in twice, with HELLO and with AUTH; 3.0 does so with AUTH alone, before HELLO.
func TestStackExchangeRedisHandshake(t *testing.T) {
	t.Parallel()
	l := start(t)
	token := l.Tokens[app]
	for name, login := range map[string][]call{
		"AUTH, then HELLO":      {{[]string{"AUTH", app, token}, "+OK"}, {[]string{"HELLO", "3"}, "%7"}},
		"HELLO, then AUTH":      {{[]string{"HELLO", "3", "AUTH", app, token, "SETNAME", "clinic"}, "%7"}, {[]string{"AUTH", app, token}, "+OK"}},
		"HELLO of RESP2, alone": {{[]string{"HELLO", "2", "AUTH", app, token}, "*14"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handshake(t, l.Connect(t), append(login, discovery()...))
		})
	}
}

// call is a command and how its reply begins.
type call struct {
	args  []string
	reply string
}

func discovery() []call {
	return []call{
		{[]string{"CLIENT", "SETNAME", "clinic"}, "+OK"},
		{[]string{"CLIENT", "SETINFO", "lib-name", "SE.Redis"}, "+OK"},
		{[]string{"CLIENT", "SETINFO", "lib-ver", "3.0.0"}, "+OK"},
		{[]string{"CLIENT", "ID"}, ":"},
		{[]string{"CONFIG", "GET", "timeout"}, "-NOPERM "}, // it goes on without
		{[]string{"CONFIG", "GET", "replica-read-only"}, "-NOPERM "},
		{[]string{"CONFIG", "GET", "databases"}, "-NOPERM "},
		{[]string{"SENTINEL", "MASTERS"}, "-ERR unknown command"},
		{[]string{"INFO", "replication"}, "role:master"},
		{[]string{"INFO", "server"}, "redis_version:7."},
		{[]string{"CLUSTER", "NODES"}, "-ERR This instance has cluster support disabled"},
		{[]string{"GET", "__Booksleeve_TieBreak"}, ""}, // nil
		{[]string{"ECHO", "the tracer"}, "the tracer"},
	}
}

func handshake(t *testing.T, client *testkit.Client, calls []call) {
	t.Helper()
	var batch bytes.Buffer
	for _, c := range calls {
		batch.Write(testkit.Command(c.args...))
	}
	client.Send(batch.Bytes())
	for _, c := range calls {
		r, err := client.Receive(programTimeout)
		if err != nil {
			t.Fatalf("%s: %v", c.args[0], err)
		}
		if !strings.Contains(string(r.Raw), c.reply) {
			t.Errorf("%s %.8s: the reply is %.60q, want %q in it", c.args[0], c.args[1], r.Raw, c.reply)
		}
	}
}
