package identity

import (
	"fmt"
	"strings"
)

// maxRulesBytes bounds a rule text: a user that needs more has an unreadable one.
const maxRulesBytes = 64 << 10

// RuleError is a mistake in a rule text. It quotes command and category names only: what is not a rule could be a token
// that was typed in the wrong place, and a key pattern could name a patient.
type RuleError struct {
	Rule    int // its place in the text, counted from 1
	Kind    RuleKind
	Problem string
	Mend    string
}

// RuleKind is what a mistake is, as far as Redis has different words for it.
type RuleKind uint8

// The kinds. The zero kind is a mistake of syntax.
const (
	BadSyntax        RuleKind = iota
	UnknownName               // of a command or a category
	AfterAllKeys              // a key pattern where all keys are granted
	AfterAllChannels          // a channel pattern where all channels are granted
	ByFirstArgument           // +config|get|port
	UnclosedSelector          // no ')'
	RefusedByLethe            // what Redis has and Lethe never grants
)

func (e *RuleError) Error() string { return fmt.Sprintf("rule %d %s", e.Rule, e.Problem) }

// Hint tells how to mend it.
func (e *RuleError) Hint() string { return e.Mend }

// ParseRules compiles rules in Redis's ACL syntax (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl),
// beginning with nothing permitted and applying one after the other:
//
//	+get -get +config|get +@read -@read allcommands nocommands    commands and categories
//	+select|0                                                     a command with one first argument
//	~pattern %R~pattern %W~pattern %RW~pattern allkeys resetkeys  keys
//	&pattern allchannels resetchannels                            channels
//	(+set ~tmp:*) clearselectors                                  alternatives
//	on off reset sanitize-payload                                 the user
//
// Unlike Redis it never accepts nopass, skip-sanitize-payload, and tokens (they are set apart, so that rules can be shown). A
// mistake is a *RuleError.
func ParseRules(set CommandSet, rules string) (*Permissions, error) {
	if len(rules) > maxRulesBytes {
		return nil, &RuleError{Rule: 1, Problem: fmt.Sprintf("begins a text of more than %d bytes", maxRulesBytes), Mend: "use categories and wider patterns"}
	}
	c := &compiler{set: set, p: &Permissions{}}
	c.reset()
	words := splitWords(rules)
	for i := 0; i < len(words); i++ {
		c.rule = i + 1
		if !strings.HasPrefix(words[i], "(") {
			if err := c.user(words[i]); err != nil {
				return nil, err
			}
			continue
		}
		end := closing(words, i)
		if end < 0 {
			return nil, c.mistakeOf(UnclosedSelector, "opens a selector that is not closed", "end its last rule with ')'")
		}
		if err := c.alternative(words[i : end+1]); err != nil {
			return nil, err
		}
		i = end
	}
	c.finish()
	return c.p, nil
}

// splitWords splits at ASCII white space only, as Redis does: other bytes belong to patterns.
func splitWords(rules string) []string {
	return strings.FieldsFunc(rules, func(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' })
}

// closing finds the word that ends the selector which begins in words[start], or -1.
func closing(words []string, start int) int {
	for i := start; i < len(words); i++ {
		if strings.HasSuffix(words[i], ")") {
			return i
		}
	}
	return -1
}

// compiler applies rules to permissions.
type compiler struct {
	set  CommandSet
	p    *Permissions
	rule int
}

func (c *compiler) mistake(problem, mend string) error { return c.mistakeOf(BadSyntax, problem, mend) }

func (c *compiler) mistakeOf(kind RuleKind, problem, mend string) error {
	return &RuleError{Rule: c.rule, Kind: kind, Problem: problem, Mend: mend}
}

func (c *compiler) reset() {
	c.p.root = selector{commands: newBitmap(c.set.Len())}
	c.p.more = nil
}

// finish grants what no rule takes away.
func (c *compiler) finish() {
	for i := 0; i <= len(c.p.more); i++ {
		for _, name := range unrestricted() {
			if id, ok := c.set.ID(name); ok {
				c.p.selector(i).commands.set(id, true)
			}
		}
	}
}

// user applies a rule that may concern the user as well as the root selector.
func (c *compiler) user(word string) error {
	switch strings.ToLower(word) {
	case "on":
		c.p.state = saidOn
	case "off":
		c.p.state = saidOff
	case "reset":
		c.reset()
		c.p.state = saidOff
	case "clearselectors":
		c.p.more = nil
	case "sanitize-payload":
		// Lethe checks every payload of RESTORE; the rule says what is so.
	case "skip-sanitize-payload":
		return c.mistakeOf(RefusedByLethe, "is skip-sanitize-payload, which is never granted", "leave it out: payloads are always checked")
	case "nopass":
		return c.mistakeOf(RefusedByLethe, "is nopass, which is never granted: every user has a token", "leave it out, and set a token")
	case "resetpass":
		return c.mistake("is resetpass, which has no place in rules", "leave it out; `lethe user rotate` and `lethe user disable` end tokens")
	default:
		if strings.IndexByte("><#!", word[0]) >= 0 {
			return c.mistake("sets or removes a token, which has no place in rules", "give the token on standard input with --token-stdin")
		}
		return c.selector(&c.p.root, word)
	}
	return nil
}

// alternative compiles the words of one selector, the parentheses included.
func (c *compiler) alternative(words []string) error {
	if len(c.p.more) == maxSelectors {
		return c.mistake(fmt.Sprintf("opens a selector beyond the %d that a user may have", maxSelectors), "make a second user")
	}
	s := selector{commands: newBitmap(c.set.Len())}
	for i, word := range words {
		if i == 0 {
			word = strings.TrimPrefix(word, "(")
		}
		if i == len(words)-1 {
			word = strings.TrimSuffix(word, ")")
		}
		if word == "" {
			continue
		}
		if strings.HasSuffix(word, ")") {
			// Shown among others it would close the selector early.
			return c.mistake("ends with a parenthesis inside a selector", "end the selector with one ')', and no pattern in it with another")
		}
		if err := c.selector(&s, word); err != nil {
			return err
		}
		c.rule++
	}
	c.p.more = append(c.p.more, s)
	return nil
}

// selector applies a rule that concerns one selector.
func (c *compiler) selector(s *selector, word string) error {
	if strings.IndexByte(word, 0) >= 0 {
		return c.mistake("holds a zero byte", "leave it out")
	}
	switch strings.ToLower(word) {
	case "allkeys", "~*":
		s.allKeys, s.keys = true, nil
	case "resetkeys":
		s.allKeys, s.keys = false, nil
	case "allchannels", "&*":
		s.allChannels, s.channels = true, nil
	case "resetchannels":
		s.allChannels, s.channels = false, nil
	case "allcommands", "+@all":
		c.everything(s, true)
	case "nocommands", "-@all":
		c.everything(s, false)
	default:
		switch word[0] {
		case '~':
			return c.keyPattern(s, Read|Write, word[1:])
		case '%':
			return c.accessPattern(s, word[1:])
		case '&':
			return c.channelPattern(s, word[1:])
		case '+', '-':
			return c.command(s, word[0] == '+', strings.ToLower(word[1:]))
		}
		return c.mistake("is not a rule that Lethe knows", "rules begin with + - ~ % & or (, or are words such as allkeys, allcommands, on, reset")
	}
	return nil
}
