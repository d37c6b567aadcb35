package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
)

// A script is one file of testdata. Its cases begin with a line `== title` and run on an empty keyspace; each further line
// is a call, written as one would type it into a raw connection: words, quoted where they hold spaces or bytes that
// do not print ("\xff"). Lines that begin with # say why.
//
// A word in front of a call says how its replies are compared; without one they have to be the same bytes:
//
//	@unordered SMEMBERS s        the same elements, in any order
//	@pairs HGETALL h             the same pairs, in any order
//	@shape RANDOMKEY             the same types and numbers of elements, whatever they hold
//	@type CLIENT HELP            the same type of reply, whatever is in it
//	@near 50 PTTL k              the same number, give or take
//	@except no-deadline TTL k    the two differ for the reason that exceptions.go has under this name
//	@new HTTL h FIELDS 1 f       redis-server 7.0 does not know it yet
//
// The reply of Lethe stands below a call of the last two kinds, with the CRLF at its end left out: `= :-1`, or `=2` and
// `=3` where the protocols differ; \r and \n are written so, and :ANY is any number. `=~ 31536000` is a number, give or take 5.
type script struct {
	group string
	cases []testCase
}

type testCase struct {
	title string
	line  int
	calls []call
}

// call is one command and how its replies are compared.
type call struct {
	line      int
	args      []string
	how       comparison
	tolerance int64             // for near, and for a wanted number
	exception string            // its name in exceptions.go
	want      map[string]string // Lethe's reply by protocol, for except and isNew
	near      bool              // want is a number, give or take tolerance
}

type comparison int

const (
	exact comparison = iota
	unordered
	pairs
	shape
	sameType
	near
	except
	isNew
)

// wantTolerance is what "=~" allows.
const wantTolerance = 5

func readScript(file string) (*script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &script{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if err := s.add(n, lines.Text()); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return s, lines.Err()
}

func (s *script) add(n int, line string) error {
	switch {
	case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		return nil
	case strings.HasPrefix(line, "== "):
		s.cases = append(s.cases, testCase{title: line[3:], line: n})
		return nil
	case len(s.cases) == 0:
		return fmt.Errorf("a call stands before the first case")
	}
	c := &s.cases[len(s.cases)-1]
	if strings.HasPrefix(line, "=") {
		if len(c.calls) == 0 {
			return fmt.Errorf("a reply stands before the first call")
		}
		return c.calls[len(c.calls)-1].expect(line)
	}
	parsed, err := parseCall(line)
	parsed.line = n
	c.calls = append(c.calls, parsed)
	return err
}

// parseCall reads `@how words...`.
func parseCall(line string) (call, error) {
	c := call{}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "@unordered":
		c.how = unordered
	case "@pairs":
		c.how = pairs
	case "@shape":
		c.how = shape
	case "@type":
		c.how = sameType
	case "@near":
		var number string
		c.how = near
		number, rest, _ = strings.Cut(rest, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return c, fmt.Errorf("@near without a number")
		}
		c.tolerance = n
	case "@except":
		c.how = except
		c.exception, rest, _ = strings.Cut(rest, " ")
	case "@new":
		c.how = isNew
	default:
		rest = line
	}
	args, err := words(rest)
	c.args = args
	return c, err
}

// expect reads a line with Lethe's reply.
func (c *call) expect(line string) error {
	if c.how != except && c.how != isNew {
		return fmt.Errorf("a reply is given for a call that is compared")
	}
	if c.want == nil {
		c.want = map[string]string{}
	}
	mark, text, _ := strings.Cut(line, " ")
	reply := strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(text) + "\r\n"
	switch mark {
	case "=":
		c.want["2"], c.want["3"] = reply, reply
	case "=2", "=3":
		c.want[mark[1:]] = reply
	case "=~":
		c.near, c.tolerance = true, wantTolerance
		c.want["2"], c.want["3"] = ":"+reply, ":"+reply
	default:
		return fmt.Errorf("%q begins no reply", mark)
	}
	return nil
}

// words splits a line as the servers split an inline command.
func words(line string) ([]string, error) {
	args, _, err := resp.NewDecoder(resp.DefaultLimits()).Next([]byte(line+"\r\n"), nil)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("a call has no words")
	}
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(a)
	}
	return out, nil
}
