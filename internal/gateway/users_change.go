package gateway

import (
	"errors"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
)

// changeUsers changes the users file in a goroutine of its own while the connection waits. By the time it is answered,
// connections that the change ends have been told.
func (s *Session) changeUsers(about string, change func(d *identity.Draft, by *identity.User) error, then func(*command.Call, error)) {
	login := s.login
	var err error
	s.worker.next.Wait = func() {
		err = s.g.Directory.Update(func(d *identity.Draft) error {
			// Who asks may have been changed while others' changes were written.
			now, ok := s.g.Directory.Renew(login)
			if !ok {
				return identity.ErrBeyond
			}
			return change(d, now.User)
		})
		if err == nil {
			s.g.EndSessions()
		}
	}
	s.worker.next.Then = func(c *command.Call) {
		s.detail = about
		then(c, err)
	}
}

// SetUser applies the words of ACL SETUSER.
func (s *Session) SetUser(name string, words [][]byte, then func(*command.Call, *command.UserRefusal)) {
	held := make([][]byte, len(words))
	for i, w := range words {
		held[i] = append([]byte(nil), w...)
	}
	about := "user=" + name
	if identity.CheckUserName(name) != nil {
		about = "user=unknown" // it may be a token in the wrong place
	}
	s.changeUsers(about, func(d *identity.Draft, by *identity.User) error {
		defer func() {
			for _, w := range held {
				clear(w)
			}
		}()
		return d.SetUser(name, held, by)
	}, func(c *command.Call, err error) { then(c, s.refusalOf(err)) })
}

// DeleteUsers removes users.
func (s *Session) DeleteUsers(names []string, then func(*command.Call, int, *command.UserRefusal)) {
	deleted := 0
	s.changeUsers("", func(d *identity.Draft, by *identity.User) error {
		for _, name := range names {
			switch err := d.DeleteUser(name, by); {
			case err == nil:
				deleted++
			case errors.Is(err, identity.ErrNoUser):
			default:
				return err
			}
		}
		return nil
	}, func(c *command.Call, err error) { then(c, deleted, s.refusalOf(err)) })
}

// ReloadUsers looks at the users file.
func (s *Session) ReloadUsers(then func(*command.Call, *command.UserRefusal)) {
	var err error
	s.worker.next.Wait = func() {
		if _, err = s.g.Directory.Reload(); err == nil {
			s.g.EndSessions()
		}
	}
	s.worker.next.Then = func(c *command.Call) {
		if err != nil {
			// Paths and what is wrong in the file are for the server's log.
			s.g.Log.Error("the users file cannot be used", "error", err)
			then(c, &command.UserRefusal{Word: command.NoWord, Text: "ERR the users' file cannot be used; see the server's log"})
			return
		}
		then(c, nil)
	}
}

// refusalTexts are Redis's words for mistakes in rules (acl.c, 7.2), where it has some.
var refusalTexts = map[identity.RuleKind]string{
	identity.BadSyntax:        "Syntax error",
	identity.UnknownName:      "Unknown command or category name in ACL",
	identity.AfterAllKeys:     "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
	identity.AfterAllChannels: "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
	identity.ByFirstArgument:  "Allowing first-arg of a subcommand is not supported",
}

// refusalOf turns an error of a change into what the client may know; nil for nil. Rules, names and paths are not in it.
func (s *Session) refusalOf(err error) *command.UserRefusal {
	if err == nil {
		return nil
	}
	var word *identity.WordError
	var rule *identity.RuleError
	var hinted interface{ Hint() string }
	switch {
	case errors.Is(err, identity.ErrBeyond):
		return &command.UserRefusal{Word: command.NoWord, Text: "NOPERM the user is, or would be, beyond your own tenants or permissions"}
	case errors.As(err, &word) && errors.As(err, &rule) && rule.Kind == identity.UnclosedSelector:
		return &command.UserRefusal{Word: command.NoWord, Text: "ERR Unmatched parenthesis in acl selector"}
	case errors.As(err, &word) && errors.As(err, &rule) && rule.Kind == identity.RefusedByLethe:
		return &command.UserRefusal{Word: word.Word, Text: rule.Problem}
	case errors.As(err, &word) && errors.Is(err, identity.ErrNoToken):
		return &command.UserRefusal{Word: word.Word, Text: "The password you are trying to remove from the user does not exist"}
	case errors.As(err, &word) && errors.As(err, &rule):
		return &command.UserRefusal{Word: word.Word, Text: refusalTexts[rule.Kind]}
	case errors.As(err, &word):
		return &command.UserRefusal{Word: word.Word, Text: word.Error()}
	case errors.As(err, &hinted):
		return &command.UserRefusal{Word: command.NoWord, Text: "ERR " + err.Error()}
	default:
		s.g.Log.Error("the users file cannot be changed", "error", err)
		return &command.UserRefusal{Word: command.NoWord, Text: "ERR the users' file cannot be changed; see the server's log"}
	}
}
