package conformance

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/testkit"
)

const (
	upstreamUp       = "lethe_upstream_up"
	upstreamWritable = "lethe_upstream_writable"
)

func nodeFlags(address string) []string {
	return []string{"--backend", "upstream", "--upstream-addresses", address, "--upstream-tls", "off", "--upstream-plaintext", "on"}
}

// An upstream that answers and refuses: without memory, without a disk, or as a replica. Clients learn what is wrong, reads go
// on where they can, readiness and metrics tell, and service resumes by itself.
func TestAnUpstreamThatRefuses(t *testing.T) {
	t.Parallel()
	node := testkit.StartNode(t, "--maxmemory-policy", "noeviction", "--dbfilename", "taken.rdb")
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: nodeFlags(node.Addr())})
	c := lethe.Dial(t, reader)
	f := func(want string, args ...string) {
		t.Helper()
		if r := c.Do(args...); !strings.HasPrefix(string(r.Raw), want) {
			t.Errorf("%s: %s, want %q", args[0], show(r.Raw), want)
		}
	}
	state := func(up, writable float64, status int) {
		t.Helper()
		testkit.Await(t, patience, fmt.Sprintf("up %v, writable %v, readiness %d", up, writable, status), func() bool {
			got, _ := lethe.Get(t, "/readyz")
			return got == status && lethe.Metric(t, upstreamUp) == up && lethe.Metric(t, upstreamWritable) == writable
		})
	}
	const served = "$1\r\nv\r\n"
	f("+OK", "SET", patient, "v")
	state(1, 1, 200)

	node.Must("CONFIG", "SET", "maxmemory", "1")
	f("-OOM ", "SET", patient, "w")
	f(served, "GET", patient)
	state(1, 0, 200)
	node.Must("CONFIG", "SET", "maxmemory", "0")
	state(1, 1, 200)

	// A snapshot cannot replace a directory: as when the disk is full, Redis refuses writes after one that failed.
	if err := os.MkdirAll(filepath.Join(node.Dir, "taken.rdb", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	node.Must("CONFIG", "SET", "save", "3600 1")
	node.Do("BGSAVE")
	testkit.Await(t, patience, "a failed snapshot", func() bool {
		return strings.Contains(node.Do("INFO", "persistence"), "rdb_last_bgsave_status:err")
	})
	f("-UPSTREAM the upstream cannot write to its disk", "SET", patient, "w")
	f(served, "GET", patient)
	state(1, 0, 200)
	node.Must("CONFIG", "SET", "save", "")
	state(1, 1, 200)
	f("+OK", "SET", patient, "v")

	primary := testkit.StartNode(t)
	node.Must("REPLICAOF", "127.0.0.1", fmt.Sprint(primary.Port))
	f("-READONLY ", "SET", patient, "w")
	state(0, 0, 503)
	node.Must("REPLICAOF", "NO", "ONE")
	state(1, 1, 200)
	f("+OK", "SET", patient, "v")
	for _, mend := range []string{"give the upstream more memory", "make room on the upstream's disk", "give the primary's address"} {
		if !strings.Contains(lethe.Log(), mend) {
			t.Errorf("the log does not say %q", mend)
		}
	}
}

// A token that is changed, and a certificate that is renewed, end connections; new ones are made with what the files have.
func TestRenewedTokensAndCertificates(t *testing.T) {
	t.Parallel()
	s := startSecured(t, "TLSv1.3")
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: s.flags()})
	c := lethe.Dial(t, reader)
	serves := func() bool { return string(c.Do("SET", patient, "v").Raw) == "+OK\r\n" }
	soon(t, "the upstream serves", serves)

	s.must(t, "ACL", "SETUSER", "lethe", "resetpass", ">second")
	s.must(t, "CLIENT", "KILL", "USER", "lethe")
	soon(t, "the old token is refused", func() bool { return !serves() })
	testkit.Await(t, patience, "readiness and the log to tell", func() bool {
		status, _ := lethe.Get(t, "/readyz")
		return status == 503 && strings.Contains(lethe.Log(), "see upstream.user and the token")
	})
	if err := os.WriteFile(s.token, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	soon(t, "the new token serves", serves)

	// The upstream's certificate and the client's are both replaced by ones of the same authority.
	cert, key := s.authority.Issue(t, "localhost").Files(t, s.dir)
	s.must(t, "CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
	s.must(t, "CLIENT", "KILL", "USER", "lethe")
	soon(t, "it serves with renewed certificates", serves)

	// A certificate of somebody else's is none.
	cert, key = testkit.NewAuthority(t).Issue(t, "localhost").Files(t, t.TempDir())
	s.must(t, "CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
	s.must(t, "CLIENT", "KILL", "USER", "lethe")
	soon(t, "a stranger's certificate is refused", func() bool { return !serves() })
	testkit.Await(t, patience, "the log to tell", func() bool {
		return strings.Contains(lethe.Log(), "name the authority of the upstream's certificate")
	})
	for _, token := range []string{"first", "second"} {
		if strings.Contains(lethe.Log(), token) {
			t.Error("the log has a token")
		}
	}
}

// Authorities are read for each connection: a renewed one is believed without a restart, and while there is none nobody is.
func TestRenewedAuthorities(t *testing.T) {
	t.Parallel()
	s, dir := startSecured(t, "TLSv1.3"), t.TempDir()
	file := s.authority.File(t, dir)
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: s.flags("ca", file)})
	c := lethe.Dial(t, reader)
	serves := func() bool { return string(c.Do("SET", patient, "v").Raw) == "+OK\r\n" }
	soon(t, "the upstream serves", serves)

	renewed := testkit.NewAuthority(t)
	cert, key := renewed.Issue(t, "localhost").Files(t, t.TempDir())
	s.must(t, "CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
	s.must(t, "CLIENT", "KILL", "USER", "lethe")
	soon(t, "an authority that the file does not have is refused", func() bool { return !serves() })
	renewed.File(t, dir)
	soon(t, "it serves with the renewed authority", serves)

	if err := os.WriteFile(file, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must(t, "CLIENT", "KILL", "USER", "lethe")
	soon(t, "nobody is believed without authorities", func() bool { return !serves() })
	testkit.Await(t, patience, "the log to tell", func() bool { return strings.Contains(lethe.Log(), "the file of upstream.ca can be read") })
	renewed.File(t, dir)
	soon(t, "it serves again", serves)
}

// TLS 1.2 is spoken only to an upstream of which the settings say that it has no better.
func TestTLS12OnlyWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	s := startSecured(t, "TLSv1.2")
	strict := testkit.StartLethe(t, testkit.LetheOptions{Flags: s.flags()})
	if r := strict.Dial(t, reader).Do("GET", patient); !strings.HasPrefix(string(r.Raw), "-UPSTREAM ") {
		// A gateway that reaches nobody does not hear itself either, and says that first.
		if !strings.HasPrefix(string(r.Raw), "-CONSENT ") {
			t.Errorf("with TLS 1.2: %s", show(r.Raw))
		}
	}
	logged(t, strict, "set upstream.tls: 1.2")
	said := testkit.StartLethe(t, testkit.LetheOptions{Flags: s.flags("tls", "1.2")})
	c := said.Dial(t, reader)
	soon(t, "TLS 1.2 serves where it is allowed", func() bool { return string(c.Do("SET", patient, "v").Raw) == "+OK\r\n" })
}

// lies are what a lying upstream does with the bytes of replies; nil is honest.
type lies func(to io.Writer, honest []byte) error

// liar stands between a gateway and a redis-server and lies when it is told to.
type liar struct {
	how atomic.Pointer[lies]
}

func (l *liar) serve(c net.Conn, socket string) {
	defer c.Close()
	real, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer real.Close()
	go func() { _, _ = io.Copy(real, c); real.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := real.Read(buf)
		if err == nil {
			if how := l.how.Load(); how != nil {
				err = (*how)(c, buf[:n])
			} else {
				_, err = c.Write(buf[:n])
			}
		}
		if err != nil {
			return
		}
	}
}

// Whatever comes back, a client gets the right value, a miss or an error, soon; the server stays, and service resumes when
// the lies end.
func TestAnUpstreamThatLies(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	var l liar
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: nodeFlags(testkit.Accept(t, func(c net.Conn) { l.serve(c, behind.Socket) }))})
	const value = "the value"
	calls := [][]string{{"GET", patient}, {"HGET", patient + ":h", "f"}, {"HGETALL", patient + ":h"}, {"SET", patient + ":2", value},
		{"HSET", patient + ":h2", "f", value}, {"KEYS", "*"}, {"DEL", patient + ":2"},
		{"XRANGE", patient + ":s", "-", "+"}, {"XREADGROUP", "GROUP", "g", "c", "STREAMS", patient + ":s", ">"}, {"XINFO", "GROUPS", patient + ":s"}}
	constant := func(text string) lies {
		return func(to io.Writer, _ []byte) error { _, err := io.WriteString(to, text); return err }
	}
	for name, how := range map[string]lies{
		"integers":  constant(":1\r\n"),
		"arrays":    constant("*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
		"made up":   constant("$100\r\n" + strings.Repeat("\x01", 100) + "\r\n"),
		"elsewhere": constant("-MOVED 1 10.0.0.1:6379\r\n"),
		"huge":      constant("$2000000000\r\nabc"),
		"not RESP":  constant("HTTP/1.1 200 OK\r\n\r\n"),
		"silence":   func(io.Writer, []byte) error { return nil },
		"cut":       func(to io.Writer, honest []byte) error { _, err := to.Write(honest[:len(honest)/2]); return err },
		"bits": func(to io.Writer, honest []byte) error {
			honest[len(honest)-3] ^= 1
			_, err := to.Write(honest)
			return err
		},
		"repetition": func(to io.Writer, honest []byte) error {
			_, err := to.Write(append(honest[:len(honest):len(honest)], honest...))
			return err
		},
		"endless": func(to io.Writer, _ []byte) error {
			_, err := io.WriteString(to, "*1000000\r\n")
			for err == nil {
				_, err = io.WriteString(to, "$3\r\nabc\r\n")
			}
			return err
		},
	} {
		c := lethe.Dial(t, reader)
		soon(t, "the upstream serves before "+name, func() bool {
			return string(c.Do("SET", patient, value).Raw) == "+OK\r\n" && !c.Do("HSET", patient+":h", "f", value).IsError() &&
				!c.Do("XADD", patient+":s", "*", "f", value).IsError() && c.Do("XGROUP", "CREATE", patient+":s", "g", "0").Str != nil &&
				string(c.Do("GET", patient).Str) == value
		})
		l.how.Store(&how)
		for _, args := range calls {
			began := time.Now()
			r := c.Do(args...)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s: %s took %v", name, args[0], took)
			}
			honest := string(r.Str) == value || string(r.Raw) == "+OK\r\n" || r.Type == ':' ||
				string(r.Raw) == "*2\r\n$1\r\nf\r\n$9\r\n"+value+"\r\n" || strings.HasPrefix(args[0], "X") && saysNothingElse(r.Value, value) || args[0] == "KEYS" && strings.Count(string(r.Raw), patient) == len(r.Elems)
			if !honest && !r.IsError() && string(r.Raw) != "$-1\r\n" && string(r.Raw) != "*0\r\n" {
				t.Errorf("%s: %s is answered with %d bytes that nobody wrote", name, args[0], len(r.Raw))
			}
		}
		l.how.Store(nil)
	}
}

// saysNothingElse reports whether what a stream answers is what was written to it: the value, the field, the group, and words and
// numbers of the protocol.
func saysNothingElse(r resp.Value, value string) bool {
	for _, e := range r.Elems {
		if !saysNothingElse(e, value) {
			return false
		}
	}
	switch said := string(r.Str); {
	case len(r.Elems) > 0, r.Type == ':', said == value, said == "f", said == "g", said == patient+":s":
		return true
	default:
		return streamWords.MatchString(said)
	}
}

var streamWords = regexp.MustCompile(`^(\d+-\d+|name|consumers|pending|last-delivered-id|entries-read|lag|)$`)
