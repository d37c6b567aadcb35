package lethe

import (
	"io/fs"
	"strings"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

const usersFile = "users.yaml"

// users reads who may get in and what they may do. Tokens count, and are not looked at.
func (d *Data) users(r *model.Resource) []Problem {
	at := model.Source{File: d.called(usersFile)}
	lose := func(why string) []Problem {
		model.Users.SetUnknown(r, why, at)
		return []Problem{{at, why}}
	}
	src, err := fs.ReadFile(d.FS, usersFile)
	if err != nil {
		return lose("the users file is not read: " + cause(err))
	}
	docs, err := yamltree.Parse(src)
	if err != nil || len(docs) != 1 || docs[0].At("version").String() != "1" {
		return lose("the users file is of a form that this release does not know")
	}
	var all []model.AuthUser
	for _, u := range docs[0].At("users").List() {
		one, ok := user(u)
		if !ok {
			return lose("the users file has a user that this release does not understand")
		}
		all = append(all, one)
	}
	model.Users.Set(r, all, at)
	return nil
}

// user reads one user. What its roles allow is what Lethe adds to its rules.
func user(n *yamltree.Node) (model.AuthUser, bool) {
	name, enabled := n.At("name").String(), false
	if name == "" {
		return model.AuthUser{}, false
	}
	if v, ok := n.At("enabled").Bool(); ok {
		enabled = v
	}
	words := []string{"off"}
	if enabled {
		words = []string{"on"}
	}
	roles := n.At("roles").List()
	for _, item := range roles {
		role, known := identity.FindRole(item.String())
		if !known {
			return model.AuthUser{}, false
		}
		words = append(words, role.Rules(everyCommand{}))
	}
	if rules := n.At("rules").String(); rules != "" {
		words = append(words, rules)
	} else if len(roles) == 0 {
		application, _ := identity.FindRole("application")
		words = append(words, application.Rules(everyCommand{}))
	}
	u := config.ParseUser(name, strings.Join(words, " "))
	u.NoPassword, u.Method = false, "password" // nobody is let in without a token or a certificate
	u.Passwords = int64(len(n.At("tokens").List()))
	if u.Passwords == 0 && len(n.At("certificates").List()) > 0 {
		u.Method = "certificate"
	}
	return u, true
}

// everyCommand is a set that leaves no rule of a role out.
type everyCommand struct{}

func (everyCommand) Len() int                        { return 0 }
func (everyCommand) ID(string) (int, bool)           { return 0, true }
func (everyCommand) Name(int) string                 { return "" }
func (everyCommand) InCategory(string) ([]int, bool) { return nil, true }
func (everyCommand) Children(int) []int              { return nil }
