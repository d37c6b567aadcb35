package config

import (
	"path"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// File is a file to read.
type File struct {
	Name string // as the user calls it, slashes
	Data []byte
	Mode int64    // its permissions, or -1 where there are none
	Read ReadFile // for includes and ACL files; nil: they are not followed
}

// Read makes a resource of a redis.conf or valkey.conf.
func Read(f File) (*model.Resource, []Problem) {
	settings, problems := Parse(f.Name, f.Data, f.Read)
	r := model.NewResource(model.ID{Target: model.Config, Kind: model.Server, Name: f.Name}, model.Source{File: f.Name})
	engine := "redis"
	if strings.Contains(strings.ToLower(path.Base(f.Name)), "valkey") {
		engine = "valkey"
	}
	model.Engine.Set(r, engine, model.Source{File: f.Name})
	users, more := settings.readUsers(f)
	Facts(r, settings, users)
	if origin, ok := model.TokenOrigin.Of(r).Get(); ok && origin == "literal" && f.Mode >= 0 {
		model.ACLFileMode.Set(r, f.Mode, model.Source{File: f.Name, Setting: "mode"})
	}
	return r, append(problems, more...)
}

// readUsers reads the ACL file that the settings name, if it can be reached.
func (s *Settings) readUsers(f File) (*UserFile, []Problem) {
	v, name, ok := s.text("aclfile", "")
	if !ok || name == "" || f.Read == nil {
		return nil, nil
	}
	target := name
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(f.Name), target)
	}
	src, err := f.Read(target)
	if err != nil {
		return nil, []Problem{{v.Source, "the ACL file is not read: " + err.Error()}}
	}
	return ParseUsers(target, src)
}

// ParseUsers reads the lines of an ACL file.
func ParseUsers(name string, src []byte) (*UserFile, []Problem) {
	l := &list{from: model.Source{File: name, Setting: "user"}}
	var problems []Problem
	for number := 1; len(src) > 0; number++ {
		var line string
		line, src = cutLine(src)
		at := model.Source{File: name, Line: number, Setting: "user"}
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if hasControl(line) {
			l.lose("a line has control characters", at)
			problems = append(problems, Problem{at, "the line has control characters"})
			continue
		}
		if words[0] != "user" || number > maxLines {
			l.lose("a line does not begin with user", at)
			problems = append(problems, Problem{at, "the line does not begin with user"})
			continue
		}
		before := l.why
		addUserLine(l, words[1:], at)
		if l.why != before {
			problems = append(problems, Problem{at, l.why})
		}
	}
	return &UserFile{users: l.users, from: l.from, problem: l.why}, problems
}

// ReadACL makes a resource of an ACL file by itself.
func ReadACL(f File) (*model.Resource, []Problem) {
	file, problems := ParseUsers(f.Name, f.Data)
	r := model.NewResource(model.ID{Target: model.ACL, Kind: model.ACLFile, Name: f.Name}, model.Source{File: f.Name})
	if f.Mode >= 0 {
		model.ACLFileMode.Set(r, f.Mode, model.Source{File: f.Name, Setting: "mode"})
	} else {
		model.ACLFileMode.SetUnknown(r, "it has no permissions where it was read", model.Source{File: f.Name})
	}
	l := &list{users: file.users, from: file.from, why: file.problem, at: file.from}
	if l.find("default") == nil {
		l.users = append(l.users, defaultUser())
	}
	l.put(r)
	var all []model.Token
	hashes, from := int64(0), file.from
	for _, u := range l.users {
		if len(u.secrets) > 0 {
			from = u.from
		}
		all, hashes = append(all, u.secrets...), hashes+u.hashes
	}
	if l.why != "" {
		model.TokenOrigin.SetUnknown(r, l.why, l.at)
		model.AuthToken.SetUnknown(r, l.why, l.at)
		return r, problems
	}
	setSecrets(r, all, hashes, from)
	return r, problems
}

// ReadSentinel makes a resource of a sentinel.conf.
func ReadSentinel(f File) (*model.Resource, []Problem) {
	s, problems := Parse(f.Name, f.Data, f.Read)
	r := model.NewResource(model.ID{Target: model.Sentinel, Kind: model.Watcher, Name: f.Name}, model.Source{File: f.Name})
	s.putInt(r, model.Port, "port", 26379)
	s.putInt(r, model.TLSPort, "tls-port", 0)
	tlsFacts(r, s)
	listening(r, s)
	s.putBool(r, model.TLSReplication, "tls-replication", false)
	always := model.Source{File: f.Name, Setting: "sentinel monitor"}
	model.ReplicationUsed.Set(r, true, always) // a sentinel exists to speak to replicas
	model.ClusterUsed.Set(r, false, always)
	model.TLSCluster.Set(r, false, always)
	sentinelSecrets(r, s)
	return r, problems
}

// sentinelSecrets: the passwords of what is watched, and of the sentinel itself.
func sentinelSecrets(r *model.Resource, s *Settings) {
	var all []model.Token
	from := model.Source{Setting: "sentinel auth-pass", Default: true}
	unknown := func(why string, at model.Source) {
		model.TokenOrigin.SetUnknown(r, why, at)
		model.AuthToken.SetUnknown(r, why, at)
	}
	if s.lost != "" {
		unknown(s.lost, s.lostAt)
		return
	}
	for _, name := range []string{"sentinel", "requirepass"} {
		for _, line := range s.byName[name] {
			secret, is := sentinelSecret(name, line.words)
			if !is {
				continue
			}
			from = line.from
			if why, open := unknownValue(secret); open {
				unknown(why, from)
				return
			}
			all = append(all, model.JudgeToken(secret))
		}
	}
	setSecrets(r, all, 0, from)
}

func sentinelSecret(name string, words []string) (secret string, is bool) {
	switch {
	case name == "requirepass" && len(words) == 1:
		return words[0], true
	case name == "sentinel" && len(words) == 3 && strings.EqualFold(words[0], "auth-pass"):
		return words[2], true
	case name == "sentinel" && len(words) == 2 && strings.EqualFold(words[0], "sentinel-pass"):
		return words[1], true
	}
	return "", false
}
