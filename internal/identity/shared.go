package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What gateways tell each other of users: parts, so that two changes of one user at two gateways do not undo each other when
// they are of different parts. A user is what its first part says; without the others it has no token and may not come in.

const (
	tokensPart  = " tokens" // behind the user's name, which holds no space
	enabledPart = " enabled"
)

// ErrUnchanged is returned from Update's function when there is nothing to write.
var ErrUnchanged = errors.New("nothing was changed")

// PartsOf names the parts of a user, the first one first.
func PartsOf(user string) []string { return []string{user, user + tokensPart, user + enabledPart} }

// UserOf is the user that a part is of.
func UserOf(part string) string {
	user, _, _ := strings.Cut(part, " ")
	return user
}

// Parts returns all parts of the users of the file by name, the hashes of tokens included. Emergencies are not in it: they
// are opened at one gateway.
func (d *Directory) Parts() map[string]string { return parts(d.now.Load().filed) }

// Parts is the same of the users as they are on the disk.
func (t *Draft) Parts() map[string]string { return parts(t.users) }

func parts(users []*User) map[string]string {
	all := make(map[string]string, 3*len(users))
	for _, u := range users {
		// A file may not say when a user was created; every part does, and the same everywhere.
		createdAt := cmp.Or(u.CreatedAt, time.Unix(0, 0))
		all[u.Name] = strings.Join(u.ruleWords(createdAt), " ")
		all[u.Name+enabledPart] = onOff(u.Enabled)
		if tokens := u.tokenWords(); len(tokens) > 0 {
			all[u.Name+tokensPart] = strings.Join(tokens, " ")
		}
	}
	return all
}

// ChangedAt is when the users file was last written, in Unix milliseconds; 0: there is none.
func (d *Directory) ChangedAt() int64 {
	st := d.now.Load().stamp.users
	if !st.exists {
		return 0
	}
	return st.modified.Nano() / int64(time.Millisecond)
}

// Put makes a user what its parts say, in the order of PartsOf, "" for one that is not there, whether there was one of that
// name or not. A certificate's name that another user has is taken from that user; one who has none left then is disabled:
// it must not come in with less than it needed before.
func (t *Draft) Put(name string, parts []string) error {
	line := strings.Join(append([]string{"user", name}, parts...), " ")
	if strings.ContainsAny(line, "\r\n") {
		return errors.New("cannot use a user of another gateway: it is more than one line")
	}
	users, mistakes := parseACLFile([]byte(line), t.set, t.opts.iterations)
	if len(mistakes) > 0 {
		return fmt.Errorf("cannot use the user %s of another gateway: %s", name, mistakes[0].Problem)
	}
	if len(users) != 1 || users[0].Name != name {
		return errors.New("cannot use a user of another gateway: it is not one user")
	}
	u := users[0]
	t.users = slices.DeleteFunc(t.users, func(other *User) bool { return other.Name == name })
	for _, other := range t.users {
		kept := slices.DeleteFunc(slices.Clone(other.Certificates), func(c string) bool { return slices.Contains(u.Certificates, c) })
		if len(kept) == 0 && len(other.Certificates) > 0 {
			other.Enabled = false
		}
		other.Certificates = kept
	}
	return t.insert(u)
}
