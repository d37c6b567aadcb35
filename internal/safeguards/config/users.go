package config

import (
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// UserFile is an ACL file.
type UserFile struct {
	users   []*user
	from    model.Source
	problem string // why users are unknown; "" if all were understood
}

// list is users and what keeps them from being known.
type list struct {
	users []*user
	from  model.Source
	why   string
	at    model.Source
}

func (l *list) find(name string) *user {
	i := slices.IndexFunc(l.users, func(u *user) bool { return u.Name == name })
	if i < 0 {
		return nil
	}
	return l.users[i]
}

func (l *list) lose(why string, at model.Source) {
	if l.why == "" {
		l.why, l.at = why, at
	}
}

// userFacts: users come from lines of the configuration or from the ACL file, never from both. requirepass is the password
// of the user default where neither has a line for it; with an ACL file the server ignores it (tested with 7.0.15).
func userFacts(r *model.Resource, s *Settings, file *UserFile) {
	l := &list{from: model.Source{Setting: "user", Default: true}}
	if s.lost != "" {
		l.lose(s.lost, s.lostAt)
	}
	s.putACLFile(r)
	v, path, ok := s.text("aclfile", "")
	switch {
	case !ok:
		l.lose(v.Why, v.Source)
	case path != "" && file == nil:
		l.lose("the ACL file is outside of what is scanned", v.Source)
	case path != "":
		l.users, l.from = file.users, file.from
		if file.problem != "" {
			l.lose(file.problem, file.from)
		}
	default:
		s.userLines(l)
	}
	if l.find("default") == nil {
		l.users = append(l.users, defaultUser())
		if ok && path == "" {
			l.required(s)
		}
	}
	s.hidden(r, l)
	secrets(r, s, l)
	l.put(r)
	v, text, ok := s.text("acl-pubsub-default", "")
	switch {
	case ok && text != "":
		model.PubsubDefault.Set(r, text, v.Source)
	case ok:
		model.PubsubDefault.SetUnknown(r, "the default is allchannels before Redis 7.0 and resetchannels since", v.Source)
	default:
		model.PubsubDefault.SetUnknown(r, v.Why, v.Source)
	}
}

func (s *Settings) putACLFile(r *model.Resource) {
	v, path, ok := s.text("aclfile", "")
	if ok {
		model.ACLFilePath.Set(r, path, v.Source)
	} else {
		model.ACLFilePath.SetUnknown(r, v.Why, v.Source)
	}
}

func (s *Settings) userLines(l *list) {
	for _, line := range s.byName["user"] {
		l.from = line.from
		addUserLine(l, line.words, line.from)
	}
}

// addUserLine takes NAME and words.
func addUserLine(l *list, words []string, from model.Source) {
	if len(words) == 0 {
		l.lose("a line has no user's name", from)
		return
	}
	for _, w := range words {
		if why, unknown := unknownValue(w); unknown {
			l.lose(why, from)
			return
		}
	}
	u := l.find(words[0])
	if u == nil {
		u = newUser(words[0], from) // the user default too: a line for it begins anew
		l.users = append(l.users, u)
	}
	if problem := u.apply(words[1:]); problem != "" {
		l.lose("a user's line is not understood: "+problem, from)
	}
}

// required applies requirepass.
func (l *list) required(s *Settings) {
	if !s.Has("requirepass") {
		return
	}
	v, text, ok := s.text("requirepass", "")
	u := l.find("default")
	switch {
	case !ok:
		// What the password is does not matter here: that there is one does. A placeholder can still be filled with nothing.
		l.lose("the password is filled in later and may be empty", v.Source)
	case strings.HasPrefix(text, secretWord):
		u.word("#") // a password that we do not have, as with a hash
		u.from = v.Source
		u.finish()
	case text != "":
		u.word(">" + text)
		u.from = v.Source
		u.finish()
	}
}

// hidden notes commands that rename-command hides, and DEBUG and MODULE where they are switched off.
func (s *Settings) hidden(r *model.Resource, l *list) {
	var renamed []string
	from := model.Source{Setting: "rename-command", Default: true}
	for _, line := range s.byName["rename-command"] {
		from = line.from
		if len(line.words) == 2 {
			renamed = append(renamed, upper(line.words[0]))
		}
	}
	model.RenamedCommands.Set(r, renamed, from)
	off := map[string]string{"enable-debug-command": "DEBUG", "enable-module-command": "MODULE"}
	for name, command := range off {
		if _, text, ok := s.text(name, ""); ok && text == "no" {
			for _, u := range l.users {
				u.Dangerous = slices.DeleteFunc(slices.Clone(u.Dangerous), func(d string) bool { return d == command })
			}
		}
	}
}

// secrets tells of the weakest password that is written down.
func secrets(r *model.Resource, s *Settings, l *list) {
	var all []model.Token
	hashes := int64(0)
	from := model.Source{Setting: "requirepass", Default: true}
	for _, u := range l.users {
		hashes += u.hashes
		if len(u.secrets) > 0 || u.hashes > 0 {
			from = u.from
		}
		all = append(all, u.secrets...)
	}
	origin := ""
	for _, name := range []string{"masterauth", "primaryauth", "requirepass"} {
		v, text, ok := s.text(name, "")
		if !s.Has(name) {
			continue
		}
		from = v.Source
		if !ok {
			model.TokenOrigin.SetUnknown(r, v.Why, v.Source)
			model.AuthToken.SetUnknown(r, v.Why, v.Source)
			return
		}
		switch {
		case strings.HasPrefix(text, secretWord):
			origin = text[len(secretWord):]
		case name != "requirepass" && text != "":
			all = append(all, model.JudgeToken(text))
		}
	}
	setSecrets(r, all, hashes, from)
	if len(all) == 0 && origin != "" {
		model.TokenOrigin.Set(r, origin, from)
	}
}

func setSecrets(r *model.Resource, all []model.Token, hashes int64, from model.Source) {
	switch {
	case len(all) > 0:
		model.TokenOrigin.Set(r, "literal", from)
		model.AuthToken.Set(r, weakest(all), from)
	case hashes > 0:
		model.TokenOrigin.Set(r, "hash", from)
	default:
		model.TokenOrigin.Set(r, "none", from)
	}
}

func weakest(all []model.Token) model.Token {
	return slices.MinFunc(all, func(a, b model.Token) int { return int(a.Bits - b.Bits) })
}

// put sets the facts about users.
func (l *list) put(r *model.Resource) {
	if l.why != "" {
		model.Users.SetUnknown(r, l.why, l.at)
		model.AuthRequired.SetUnknown(r, l.why, l.at)
		return
	}
	users := make([]model.AuthUser, len(l.users))
	open := false
	for i, u := range l.users {
		users[i] = u.AuthUser
		open = open || (u.Name == "default" && u.Enabled && u.NoPassword)
	}
	model.Users.Set(r, users, l.from)
	from := l.from
	if d := l.find("default"); d != nil {
		from = d.from
	}
	model.AuthRequired.Set(r, !open, from)
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}
