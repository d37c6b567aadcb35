package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lethe-cache/lethe/internal/identity"
)

// drawWords makes the words of a user that ACL SETUSER takes.
func drawWords(t *rapid.T) []string {
	some := func(label string, most int, words ...string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(words), 0, most).Draw(t, label)
	}
	joined := func(label string, words ...string) string {
		return strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 3, rapid.ID[string]).Draw(t, label), ",")
	}
	words := []string{rapid.SampledFrom([]string{"on", "off"}).Draw(t, "state"), "tenants=" + joined("tenants", "T", "U", "global", "V-1")}
	words = append(words, some("commands", 5, "+get", "-get", "+@read", "-@write", "+@all", "-@all", "+config|get", "+config")...)
	words = append(words, some("selectors", 2, "(+get ~s:*)", "(-@all +@string %W~w:* &x)", "()")...)
	if rapid.Bool().Draw(t, "with roles") { // which give all keys and channels, so that none can be added
		words = append(words, "roles="+joined("roles", "application", "read-only"))
	} else {
		words = append(words, some("keys", 3, "~a:*", "%R~b:*", "%W~b:*", "%RW~[ab]?", "~=x")...)
		words = append(words, some("channels", 2, "&c", "&news.*", "&d?")...)
	}
	return append(words, some("attributes", 9, "owner=team@example.org", "ends=2031-01-31", "ends=2031-01-31T10:00:00Z",
		"hours=mon-fri/07:00-19:00@Europe/Berlin", "hours=sat/00:00-24:00", "sources=10.1.0.0/16,2001:db8::/32", "sources=192.0.2.7",
		"purpose=treatment", "purposes=treatment,payment", "categories=phi,session", "certificates=cn:billing,uri:spiffe://example.org/billing/*", "rate=5000")...)
}

// What ACL LIST shows of a user is what ACL SETUSER and a file in Redis's syntax make the same user of.
func TestACLLineIsReadBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rapid.Check(t, func(t *rapid.T) {
		set := func(words []string) (*identity.User, error) {
			args := [][]byte{[]byte("reset")}
			for _, w := range words {
				args = append(args, []byte(w))
			}
			err := f.Update(func(d *identity.Draft) error { return d.SetUser("x", args, nil) })
			u, _ := f.Lookup("x")
			return u, err
		}
		whole := func(u *identity.User) string {
			text := u.ACL(f.set)
			for _, name := range identity.AttributeNames() {
				text += fmt.Sprintf(" %s=%s", name, u.Attribute(name))
			}
			return text
		}
		was, err := set(drawWords(t))
		if err != nil {
			t.Fatal(err)
		}
		line := was.ACLLine(f.set)
		again, err := set(strings.Split(strings.TrimPrefix(line, "user x "), " ")) // a space too many would be an empty word
		if err != nil || whole(again) != whole(was) || again.ACLLine(f.set) != line {
			t.Fatalf("%v: ACL SETUSER made\n%s of\n%s", err, whole(again), whole(was))
		}
		users, mistakes := identity.ParseACLFile([]byte(line+"\n"), f.set, testIterations)
		if len(mistakes) > 0 || whole(users[0]) != whole(was) {
			t.Fatalf("a file made something else of\n%s: %v", line, mistakes)
		}
	})
}
