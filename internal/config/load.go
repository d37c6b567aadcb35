package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing wrong with a setting: where it is, what, and how to mend it. It quotes no value.
type Mistake struct {
	File    string // "" when it is not in the file
	Line    int    // in File, from 1
	Source  string // "FILE:LINE", "LETHE_LISTEN", "--listen"
	Setting string // its name, "" when there is no such setting
	Problem string
	Mend    string
}

func (m Mistake) Error() string { return m.Source + ": " + m.Problem }

// Hint is how to mend it.
func (m Mistake) Hint() string { return m.Mend }

// Load puts the settings together: flags win over the environment, that over the file, that over the defaults. file may be
// "". flags has the flags that were given, by name without hyphens in front; getenv returns "" for what is not set. Every
// value is checked, the overridden ones too. It returns a Config or at least one mistake, never both.
func Load(file string, flags map[string]string, getenv func(string) string) (*Config, []Mistake) {
	l := &loader{config: &Config{}, given: map[string]Value{}}
	l.defaults(getenv)
	if file != "" {
		l.file(file)
	}
	for _, e := range l.entries {
		if text := getenv(e.Env); text != "" {
			l.assign(e, text, place{source: e.Env})
		}
	}
	l.flags(flags)
	return l.finish()
}

// Read puts the settings of a file alone together, as they are where flags and environment say nothing: for whoever judges a
// file that is meant for another machine. name is what mistakes call it. As Load, it returns a Config or mistakes.
func Read(name string, src []byte) (*Config, []Mistake) {
	l := &loader{config: &Config{}, given: map[string]Value{}}
	l.defaults(func(variable string) string {
		if variable == "STATE_DIRECTORY" {
			return "/var/lib/lethe" // some directory is known wherever a server runs
		}
		return ""
	})
	l.contents(name, src)
	return l.finish()
}

// loader gathers values and mistakes.
type loader struct {
	entries  []entry
	config   *Config
	given    map[string]Value
	mistakes []Mistake
}

// defaults fills the table and what it says where nobody says more.
func (l *loader) defaults(getenv func(string) string) {
	for _, e := range table(getenv) {
		l.entries = append(l.entries, e)
		if e.Default != "" {
			l.assign(e, e.Default, place{source: "default"})
		}
	}
}

// finish checks the values together.
func (l *loader) finish() (*Config, []Mistake) {
	if len(l.mistakes) == 0 {
		l.together()
	}
	if len(l.mistakes) > 0 {
		return nil, l.mistakes
	}
	for _, e := range l.entries {
		l.config.values = append(l.config.values, cmp.Or(l.given[e.Name], Value{Setting: e.Setting, Source: "default"}))
	}
	return l.config, nil
}

// place is where a value stands.
type place struct {
	source string
	file   string
	line   int
}

func (l *loader) add(at place, setting, problem, mend string) {
	l.mistakes = append(l.mistakes, Mistake{File: at.file, Line: at.line, Source: at.source, Setting: setting, Problem: problem, Mend: mend})
}

func (l *loader) assign(e entry, text string, at place) {
	l.note(e, text, at, e.set(l.config, text))
}

// note records a value that was set, or what is wrong with it.
func (l *loader) note(e entry, text string, at place, err error) {
	if err == nil {
		l.given[e.Name] = Value{Setting: e.Setting, Value: text, Source: at.source}
		return
	}
	mend := "see `lethe serve --help`"
	if v := (*valueError)(nil); errors.As(err, &v) {
		mend = v.mend
	}
	l.add(at, e.Name, e.Name+" "+err.Error(), mend)
}

func (l *loader) flags(flags map[string]string) {
	for _, name := range sortedKeys(flags) {
		i := slices.IndexFunc(l.entries, func(e entry) bool { return e.Flag == name })
		if i < 0 {
			l.add(place{source: "--" + name}, "", "there is no such setting", "see `lethe serve --help`")
			continue
		}
		if flags[name] == "" {
			l.add(place{source: "--" + name}, l.entries[i].Name, l.entries[i].Name+" has no value", "give one, or leave the flag out")
			continue
		}
		l.assign(l.entries[i], flags[name], place{source: "--" + name})
	}
}

// together checks what single values cannot show.
func (l *loader) together() {
	c := l.config
	if c.DataDir == "" {
		l.add(place{source: "data_dir"}, "data_dir", "no data directory is known: neither HOME nor XDG_STATE_HOME is set", "give --data-dir DIR")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		l.add(place{source: "tls"}, "tls.cert", "tls.cert and tls.key are not given together", "give both, or neither")
	}
	if c.TLS.Cert != "" && len(c.TLS.Names) > 0 {
		l.add(place{source: l.given["tls.names"].Source}, "tls.names", "tls.names is given beside tls.cert, whose names are in it already", "leave one out")
	}
	l.accessTogether()
	l.upstreamTogether()
	if c.Listen == c.AdminListen && !strings.HasSuffix(c.Listen, ":0") {
		l.add(place{source: l.given["admin_listen"].Source}, "admin_listen", "admin_listen is the same address as listen", "give another port")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func at(file string, line int) place {
	return place{source: fmt.Sprintf("%s:%d", file, line), file: file, line: line}
}
