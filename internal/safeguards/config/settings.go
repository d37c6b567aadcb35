package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Settings are directives in effect, by name. They are not for several goroutines.
type Settings struct {
	byName map[string][]setting
	lost   string // why directives that were not set after this are unknown; "" if all is known
	lostAt model.Source
	// Container says that the server runs in one: there standard output is a log.
	Container bool
}

// setting is one line of a directive: most have one, save and user have several.
type setting struct {
	words []string
	from  model.Source
}

// NewSettings returns settings in which nothing is set.
func NewSettings() *Settings { return &Settings{byName: make(map[string][]setting)} }

// repeated directives add up; of the others the last one wins.
func repeated(name string) bool {
	switch name {
	case "save", "user", "rename-command", "replicaof", "slaveof", "loadmodule", "sentinel":
		return true
	}
	return false
}

// Add sets a directive as a line that comes after all earlier ones. It keeps words. No setting has control characters;
// with one, what the line means is not known.
func (s *Settings) Add(name string, words []string, from model.Source) {
	if slices.ContainsFunc(words, hasControl) {
		s.Unknown(name, "its value has control characters", from)
		return
	}
	s.add(name, words, from)
}

// hasControl keeps marks of ours from being written into a file.
func hasControl(word string) bool { return strings.ContainsAny(word, unknownWord+secretWord) }

func (s *Settings) add(name string, words []string, from model.Source) {
	name = strings.ToLower(name)
	if from.Setting == "" {
		from.Setting = name
	}
	line := setting{words, from}
	if !repeated(name) || (name == "save" && len(words) == 1 && words[0] == "") {
		s.byName[name] = []setting{line}
		return
	}
	s.byName[name] = append(s.byName[name], line)
}

// Unknown says that a directive is set, to what is not known.
func (s *Settings) Unknown(name, why string, from model.Source) {
	s.add(name, []string{unknownWord + why}, from)
}

// Secret says that a directive holds a password that is not written here, and where it comes from, in the words of
// model.TokenOrigin. It is there, and not empty.
func (s *Settings) Secret(name, origin string, from model.Source) {
	s.add(name, []string{secretWord + origin}, from)
}

// secretWord marks the value of such a setting.
const secretWord = "\x01"

// unknownWord marks the value of a setting that is not known; Add lets no file write it.
const unknownWord = "\x00"

// forget says that from here on every directive so far may have been changed.
func (s *Settings) forget(why string, at model.Source) {
	clear(s.byName)
	s.lost, s.lostAt = why, at
}

// Forget says that directives may have been set in a place that cannot be read.
func (s *Settings) Forget(why string, at model.Source) { s.forget(why, at) }

// Has says whether a directive is set.
func (s *Settings) Has(name string) bool { return len(s.byName[name]) > 0 }

// text returns the words of the last line of a directive joined by blanks. With ok false it is not known, and why says why.
func (s *Settings) text(name, standard string) (v model.Value[string], value string, ok bool) {
	lines := s.byName[name]
	if len(lines) == 0 {
		if s.lost != "" {
			return model.Value[string]{Why: s.lost, Source: s.lostAt}, "", false
		}
		return model.Value[string]{Source: model.Source{Setting: name, Default: true}}, standard, true
	}
	last := lines[len(lines)-1]
	joined := strings.Join(last.words, " ")
	if why, unknown := unknownValue(joined); unknown {
		return model.Value[string]{Why: why, Source: last.from}, "", false
	}
	return model.Value[string]{Source: last.from}, joined, true
}

func unknownValue(joined string) (why string, unknown bool) {
	if i := strings.Index(joined, unknownWord); i >= 0 {
		return joined[i+1:], true
	}
	if placeholder(joined) {
		return "its value is filled in later", true
	}
	return "", false
}

// These put a directive into a fact: known, by default known, or unknown.

func (s *Settings) putText(r *model.Resource, f model.Fact[string], name, standard string) {
	if v, value, ok := s.text(name, standard); ok {
		f.Set(r, strings.ToLower(value), v.Source)
	} else {
		f.SetUnknown(r, v.Why, v.Source)
	}
}

func (s *Settings) putBool(r *model.Resource, f model.Fact[bool], name string, standard bool) {
	v, value, known, ok := s.flag(name, standard)
	if ok {
		f.Set(r, value, v)
	} else {
		f.SetUnknown(r, known, v)
	}
}

// flag reads yes or no.
func (s *Settings) flag(name string, standard bool) (from model.Source, value bool, why string, ok bool) {
	v, text, ok := s.text(name, map[bool]string{true: "yes", false: "no"}[standard])
	if !ok {
		return v.Source, false, v.Why, false
	}
	switch strings.ToLower(text) {
	case "yes":
		return v.Source, true, "", true
	case "no":
		return v.Source, false, "", true
	default:
		return v.Source, false, "its value is neither yes nor no", false
	}
}

func (s *Settings) putInt(r *model.Resource, f model.Fact[int64], name string, standard int64) {
	from, value, why, ok := s.number(name, standard)
	if ok {
		f.Set(r, value, from)
	} else {
		f.SetUnknown(r, why, from)
	}
}

// number reads a number or an amount of memory: 100, 2gb, 512mb.
func (s *Settings) number(name string, standard int64) (from model.Source, value int64, why string, ok bool) {
	v, text, ok := s.text(name, strconv.FormatInt(standard, 10))
	if !ok {
		return v.Source, 0, v.Why, false
	}
	n, ok := amount(text)
	if !ok {
		return v.Source, 0, "its value is not a number", false
	}
	return v.Source, n, "", true
}

func amount(text string) (int64, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(text, "bkmg")
	unit, known := map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n < 0 || n > (1<<62)/unit {
		return 0, false
	}
	return n * unit, true
}

// ACLFile returns the path of the ACL file, if one is named and known.
func (s *Settings) ACLFile() (string, bool) {
	_, path, ok := s.text("aclfile", "")
	return path, ok && path != ""
}
