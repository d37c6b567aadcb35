package config

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Limits on what one file may make us read.
const (
	maxDepth = 16      // includes in includes
	maxFiles = 256     // files of one configuration
	maxLines = 200_000 // lines of one file
)

// ReadFile returns the whole of a file, or an error: it has limits of its own.
type ReadFile func(name string) ([]byte, error)

// Problem is something that kept a part of a file from being understood. The rest was read.
type Problem struct {
	Source model.Source
	Text   string // a clause without a full stop
}

// Parse reads a configuration and its includes. name is how reports call the file; read is nil where includes cannot be
// followed (a ConfigMap): then what they could have set is unknown.
func Parse(name string, src []byte, read ReadFile) (*Settings, []Problem) {
	p := &parser{settings: NewSettings(), read: read, open: make(map[string]bool)}
	p.file(name, src, 0)
	return p.settings, p.problems
}

type parser struct {
	settings *Settings
	problems []Problem
	read     ReadFile
	open     map[string]bool // files between the first and the present one
	files    int
}

func (p *parser) problem(at model.Source, format string, args ...any) {
	p.problems = append(p.problems, Problem{at, fmt.Sprintf(format, args...)})
}

func (p *parser) file(name string, src []byte, depth int) {
	p.open[name] = true
	defer delete(p.open, name)
	p.files++
	for number := 1; len(src) > 0; number++ {
		var line string
		line, src = cutLine(src)
		at := model.Source{File: name, Line: number}
		if number > maxLines {
			p.problem(at, "it has more than %d lines; the rest is not read", maxLines)
			p.settings.forget("the file is too long to be read whole", at)
			return
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words, err := split(line)
		if err != nil {
			p.problem(at, "%v", err)
			continue
		}
		at.Setting = strings.ToLower(words[0])
		if at.Setting == "include" && len(words) > 1 {
			p.include(name, words[1], at, depth)
			continue
		}
		p.settings.Add(at.Setting, words[1:], at)
	}
}

func cutLine(src []byte) (line string, rest []byte) {
	for i, c := range src {
		if c == '\n' {
			return string(src[:i]), src[i+1:]
		}
	}
	return string(src), nil
}

// include reads what a line names; a pattern may name several files. An absolute path is tried as it is.
func (p *parser) include(from, what string, at model.Source, depth int) {
	lost := func(why string) {
		p.problem(at, "the include is not read: %s", why)
		p.settings.forget("an include could not be read", at)
	}
	target := what
	if !path.IsAbs(filepath.ToSlash(target)) {
		target = path.Join(path.Dir(from), filepath.ToSlash(target))
	}
	switch {
	case p.read == nil:
		lost("it is outside of what is scanned")
		return
	case strings.ContainsAny(what, "*?["):
		lost("patterns are not followed")
		return
	case placeholder(what):
		lost("its name is filled in later")
		return
	case p.open[target]:
		lost("it includes itself")
		return
	case depth+1 >= maxDepth:
		lost("the includes are too deep")
		return
	case p.files >= maxFiles:
		lost("there are too many includes")
		return
	}
	src, err := p.read(target)
	if err != nil {
		lost(err.Error())
		return
	}
	p.file(target, src, depth+1)
}

// split cuts a line into words as the server does: blanks between them, "..." with escapes, '...' with \' only.
func split(line string) ([]string, error) {
	var words []string
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' || line[i] == '\r' || line[i] == '\v' || line[i] == '\f' {
			i++
			continue
		}
		word, n, err := oneWord(line[i:])
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		i += n
	}
	if len(words) == 0 {
		return nil, errors.New("the line has no words")
	}
	return words, nil
}

func oneWord(s string) (word string, length int, err error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\v', '\f':
			return b.String(), i, nil
		case '"', '\'':
			n, err := quoted(s[i:], &b)
			if err != nil {
				return "", 0, err
			}
			i += n
			if i < len(s) && !strings.ContainsRune(" \t\r\v\f", rune(s[i])) {
				return "", 0, errors.New("something follows a closing quote")
			}
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), len(s), nil
}

func quoted(s string, b *strings.Builder) (length int, err error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1, nil
		case s[i] == '\\' && i+1 < len(s) && quote == '\'' && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case s[i] == '\\' && i+1 < len(s) && quote == '"':
			i += escape(s[i:], b) - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return 0, errors.New("a quote is not closed")
}

// escape writes what \n, \x41 and their like stand for and returns the bytes that they take.
func escape(s string, b *strings.Builder) int {
	if s[1] == 'x' && len(s) >= 4 {
		high, low := hex(s[2]), hex(s[3])
		if high >= 0 && low >= 0 {
			b.WriteByte(byte(high<<4 | low))
			return 4
		}
	}
	if i := strings.IndexByte("nrtba", s[1]); i >= 0 {
		b.WriteByte("\n\r\t\b\a"[i])
	} else {
		b.WriteByte(s[1])
	}
	return 2
}

func hex(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }

// placeholder says whether a template engine or a shell fills a text in later.
func placeholder(s string) bool {
	return strings.Contains(s, "${") || strings.Contains(s, "$(") || strings.Contains(s, "{{") || strings.Contains(s, "<%") ||
		(len(s) > 2 && s[0] == '$' && strings.ToUpper(s) == s)
}
