package identity_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

const wholeFile = `# written by hand
version: 1
users:
  - name: app
    enabled: true
    tenants: [T1, global]
    rules: "~* &* +@read"
    created: 2026-01-31T15:04:05Z
    tokens:
      - hash: sha256:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        created: 2026-01-31T15:04:05Z
        expires: "2027-01-31T15:04:05Z"
      - hash: pbkdf2-sha256:600000:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        created: 2026-02-01T00:00:00+01:00
`

func TestParseWholeFile(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	users, mistakes := identity.ParseUsers([]byte(wholeFile), set, 600_000)
	if len(mistakes) != 0 || len(users) != 1 {
		t.Fatal(mistakes)
	}
	out, err := identity.FormatUsers(users)
	if err != nil {
		t.Fatal(err)
	}
	again, mistakes := identity.ParseUsers(out, set, 600_000)
	if len(mistakes) != 0 || len(again) != 1 || again[0].ACL(set) != users[0].ACL(set) || len(again[0].Tokens()) != 2 {
		t.Errorf("%s\n%v", out, mistakes)
	}
}

func TestFileMistakes(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	// f replaces a part of the whole file and wants these mistakes, one a line.
	f := func(from, to string, want string) {
		t.Helper()
		src := to
		if from != "" {
			src = strings.Replace(wholeFile, from, to, 1)
			if src == wholeFile {
				t.Fatalf("%q is not in the file", from)
			}
		}
		users, mistakes := identity.ParseUsers([]byte(src), set, 600_000)
		if users != nil {
			t.Errorf("%q: users beside mistakes", to)
		}
		var got []string
		for _, m := range mistakes {
			got = append(got, strconv.Itoa(m.Line)+" "+m.Problem)
			if m.Mend == "" {
				t.Errorf("%q: no mend", m.Problem)
			}
		}
		if joined := strings.Join(got, "\n"); joined != want {
			t.Errorf("%q:\n%s\nwant\n%s", to, joined, want)
		}
	}
	f("", "", "1 the file is not YAML")
	f("", "a: [", "1 the file is not YAML")
	f("", "just text", "1 the users file is not a mapping")
	f("", "[]", "1 the users file is not a mapping")
	f("", "version: 1\n", "1 the users file lacks the field users")
	f("", "version: 1\nusers: {}\n", "2 users is not a list")
	f("", "version: 1\nusers: [x]\n", "2 the user is not a mapping")
	f("", "version: 1\nusers: []\n---\nversion: 1\n", "1 the file holds more than one YAML document")
	f("", strings.Repeat("#", 5<<20), "1 the file is larger than 4194304 bytes")
	f("version: 1", "version: 2", "2 the version is not 1")
	f("version: 1", "version: 1\nversion: 1", "3 the users file has the field version twice")
	f("version: 1", "version: 1\nextra: 1", `3 the users file has an unknown field "extra"`)
	f("version: 1", "version: 1\n<<: {users: []}", `3 the users file has an unknown field something`)
	f("[T1, global]", "&a [T1, global]", "6 anchors, aliases and tags are not allowed")
	f("enabled: true", "enabled: !!bool true", "5 anchors, aliases and tags are not allowed")
	f("name: app", "name: a b", "4 cannot use the user name: it contains a character that names may not have")
	f("name: app", "name: .app", "4 cannot use the user name: it contains a character that names may not have")
	f("name: app", "name: ''", "4 cannot use the user name: it has 0 characters")
	f("name: app", "name: [a]", "4 the name is not a text\n4 cannot use the user name: it has 0 characters")
	f("name: app", "nmae: app", "4 the user has an unknown field \"nmae\"\n4 the user lacks the field name")
	f("enabled: true", "enabled: yes please", "5 enabled is neither true nor false")
	f("[T1, global]", "[]", "6 cannot use a user without a tenant")
	f("[T1, global]", "T1", "6 tenants is not a list\n6 cannot use a user without a tenant")
	f("[T1, global]", "[T1, T1]", "6 cannot use the tenant T1 twice")
	f("[T1, global]", "['a:b']", "6 cannot use the tenant name: it contains a character that names may not have")
	f("[T1, global]", "['*']", "6 cannot use the tenant name: it contains a character that names may not have")
	f("+@read", "+@raed", `7 rule 3 names "@raed", which is no command category`)
	f("+@read", "nopass", "7 rule 3 is nopass, which is never granted: every user has a token")
	f("+@read", "on", "7 the rules say on, off or reset, which the field enabled says here")
	f("created: 2026-01-31T15:04:05Z\n    tokens", "created: yesterday\n    tokens", "8 created is not a time")
	f("hash: sha256", "hash: sha1", "10 the token's hash is not a token's hash; `lethe user rotate` writes a new one")
	f("hash: sha256:A", "hash: sha256:", "10 the token's hash is not a token's hash; `lethe user rotate` writes a new one")
	f("hash: sha256", "token: secret\n        hash: sha256", `10 the token has an unknown field "token"`)
	f("600000", "599999", "13 the token's hash is too weak: it has 599999 iterations, fewer than 600000")
	f("600000", "0600000", "13 the token's hash is not a token's hash; `lethe user rotate` writes a new one")
	f("600000", "99999999999999999999", "13 the token's hash is not a token's hash; `lethe user rotate` writes a new one")
	f("      - hash: pbkdf2", "      - hash: sha256:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n        created: 2026-01-31T15:04:05Z\n      - hash: pbkdf2",
		"10 the user has more than 2 tokens")
	_, one, _ := strings.Cut(wholeFile, "users:\n")
	f("", wholeFile+one, "15 the user app is here twice, first on line 4")
}

func FuzzParseUsers(f *testing.F) {
	set := newCommandTable(realCommands)
	f.Add([]byte(wholeFile))
	f.Add([]byte("version: 1\nusers: [{name: a, enabled: true, tenants: [T], rules: '', created: 2026-01-31T15:04:05Z, tokens: []}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		users, mistakes := identity.ParseUsers(src, set, 600_000)
		if (users != nil) && len(mistakes) > 0 {
			t.Fatal("users beside mistakes")
		}
		if len(mistakes) > 0 {
			return
		}
		out, err := identity.FormatUsers(users)
		if err != nil {
			t.Fatal(err)
		}
		again, mistakes := identity.ParseUsers(out, set, 600_000)
		if len(mistakes) > 0 || len(again) != len(users) {
			t.Fatalf("%v\n%s", mistakes, out)
		}
		for i, u := range users {
			if u.Permissions() == nil || len(u.Tenants) == 0 || again[i].ACL(set) != u.ACL(set) {
				t.Fatalf("%v is not %v", again[i], u)
			}
		}
	})
}
