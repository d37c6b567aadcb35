package command

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// told is what an upstream is told: texts as they are, what is sealed in brackets.
func told(steps []StreamStep) string {
	var all []string
	for _, s := range steps {
		words := []string{s.Name}
		for _, p := range s.Parts {
			switch p.Kind {
			case StreamText:
				words = append(words, string(p.Text))
			case StreamKey:
				words = append(words, "[key]")
			case StreamGroupName:
				words = append(words, "[group "+string(p.Text)+"]")
			case StreamConsumerName:
				words = append(words, "[consumer "+string(p.Text)+"]")
			case StreamFields:
				words = append(words, "[fields]")
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "; ")
}

// What a client typed reaches an upstream written anew or not at all.
func TestStepsAreWrittenAnew(t *testing.T) {
	t.Parallel()
	l := newStreamLab(t)
	f := func(want, line string) {
		t.Helper()
		c := l.prepare(line)
		before := c.Out.Len()
		steps, ok := StreamSteps(c)
		if got := told(steps); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v; want %q", line, got, ok, want)
		}
		if c.Out.Len() != before || c.Failed {
			t.Errorf("%s: something was answered", line)
		}
	}
	f("XLEN", "XLEN s")
	f("XADD NOMKSTREAM * [fields]", "XADD s * f v")
	f("XADD NOMKSTREAM 7-0 [fields]", "XADD s 007 f v")
	f("XADD NOMKSTREAM 7-* [fields]; XTRIM MAXLEN ~ 5 LIMIT 3", "XADD s nomkstream maxlen ~ 5 limit 3 7-* f v g w")
	f("", "XADD s 0-0 f v")
	f("", "XADD s abc f v")
	f("", "XADD s 1-1 f v g")
	f("XTRIM MINID = 5-0", "XTRIM s minid 5")
	f("", "XTRIM s MAXLEN secret")
	f("XDEL 1-0 2-3", "XDEL s 1 2-3")
	f("", "XDEL s 1 secret")
	f("XSETID 5-0 ENTRIESADDED 9 MAXDELETEDID 4-0", "XSETID s 5 entriesadded 9 maxdeletedid 4")
	f("XACK [group g] 1-0", "XACK s g 1")
	f("", "XACK s g secret")
	f("XGROUP CREATE [key] [group g] $", "XGROUP create s g $ mkstream")
	f("XGROUP CREATE [key] [group g] 5-0 ENTRIESREAD 3", "XGROUP create s g 5 entriesread 3")
	f("", "XGROUP CREATE s g secret")
	f("XGROUP SETID [key] [group g] 0-0", "XGROUP SETID s g -")
	f("XGROUP DESTROY [key] [group g]", "XGROUP DESTROY s g")
	f("XGROUP CREATECONSUMER [key] [group g] [consumer c]; XGROUP DELCONSUMER [key] [group g] [consumer c]", "XGROUP DELCONSUMER s g c")
	f("CONSUMER [key] [group g] [consumer c]; XREADGROUP GROUP [group g] [consumer c] COUNT 2 NOACK STREAMS [key] >",
		"XREADGROUP group g c block 5 count 2 noack streams s >")
	f("CONSUMER [key] [group g] [consumer c]; XREADGROUP GROUP [group g] [consumer c] STREAMS [key] 3-0", "XREADGROUP GROUP g c STREAMS s 3")
	f("CONSUMER [key] [group g] [consumer c]; XREADGROUP GROUP [group g] [consumer c] STREAMS [key] >",
		"XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615")
	f("CONSUMER [key] [group g] [consumer c]; CONSUMER [key] [group g] [consumer c]; "+
		"XREADGROUP GROUP [group g] [consumer c] STREAMS [key] >; XREADGROUP GROUP [group g] [consumer c] STREAMS [key] 5-0",
		"XREADGROUP GROUP g c STREAMS s t > 5")
	f("", "XREADGROUP GROUP g c STREAMS s t > x")
	f("", "XREADGROUP GROUP g c STREAMS s $")
	f("CONSUMER [key] [group g] [consumer c]; XCLAIM [group g] [consumer c] 5 1-0 IDLE 7 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0",
		"XCLAIM s g c 5 1 idle 7 retrycount 2 force justid lastid 3")
	f("CONSUMER [key] [group g] [consumer c]; XCLAIM [group g] [consumer c] 5 1-0 TIME 7", "XCLAIM s g c 5 1 IDLE 3 TIME 7")
	f("CONSUMER [key] [group g] [consumer c]; XAUTOCLAIM [group g] [consumer c] 5 0-1 COUNT 100", "XAUTOCLAIM s g c 5 (0")
	f("XPENDING [group g]", "XPENDING s g")
	f("XPENDING [group g] IDLE 3 0-0 18446744073709551615-18446744073709551615 5 [consumer c]", "XPENDING s g idle 3 - + 5 c")
	f("XINFO STREAM", "XINFO STREAM s")
	f("", "XINFO STREAM s FULL")
	f("XINFO CONSUMERS [group g]", "XINFO CONSUMERS s g")
	f("", "XACK s "+strings.Repeat("g", maxStepName+1)+" 1")
}

// passable are the texts that an upstream may see.
var passable = regexp.MustCompile(`^(\d+-\d+|\d+-\*|-?\d+|[*$>=~]|` +
	`NOMKSTREAM|MAXLEN|MINID|LIMIT|ENTRIESADDED|MAXDELETEDID|CREATE|SETID|DESTROY|CREATECONSUMER|DELCONSUMER|ENTRIESREAD|` +
	`GROUP|COUNT|NOACK|STREAMS|IDLE|TIME|RETRYCOUNT|FORCE|JUSTID|LASTID)$`)

func FuzzStreamSteps(f *testing.F) {
	for _, line := range []string{"XADD s MAXLEN ~ 5 * f v", "XCLAIM s g c 0 1-1 TIME 5", "XREADGROUP GROUP g c COUNT 1 STREAMS s >", "XPENDING s g IDLE 1 - + 5 c",
		"XGROUP CREATE s g $ MKSTREAM", "XAUTOCLAIM s g c 0 (1-1 COUNT 5", "XSETID s 1-1 ENTRIESADDED 5"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		l := newStreamLab(t)
		c := l.prepare(line)
		if c == nil {
			return
		}
		steps, _ := StreamSteps(c)
		for _, s := range steps {
			for _, p := range s.Parts {
				if p.Kind == StreamText && !passable.Match(p.Text) {
					t.Errorf("%q passes on %q", line, p.Text)
				}
			}
		}
	})
}

// An upstream's errors are answered in other words or not at all.
func TestProblemsOfStreams(t *testing.T) {
	t.Parallel()
	l := newStreamLab(t)
	f := func(want, line, text string) {
		t.Helper()
		if got := StreamProblem(l.prepare(line), text); got != want {
			t.Errorf("%s, %q: %q, want %q", line, text, got, want)
		}
	}
	f(msgSmallID, "XADD s 1-1 f v", msgSmallID+" script: 1234, on @user_script:1.")
	f(msgBusyGroup, "XGROUP CREATE s g 0", "BUSYGROUP Consumer Group name already exists script: 1")
	f(msgNoGroup, "XGROUP SETID s g 0", "NOGROUP No such consumer group 'canary' for key name 'l:x'")
	f(msgNoGroupRead, "XREADGROUP GROUP g c STREAMS s >", "NOGROUP No such key 'l:x' or consumer group 'canary'")
	f(msgNoKeyOrGroup, "XPENDING s g", "NOGROUP No such key 'l:x' or consumer group 'canary'")
	f("", "XADD s 1-1 f v", "ERR something else")
	f("", "XADD s 1-1 f v", "WRONGTYPE Operation against a key holding the wrong kind of value")
	f("", "XSETID s 1-1", resp.MsgNoSuchKey)
}
