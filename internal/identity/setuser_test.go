package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

// setUser applies words as somebody, "" for the owner of the data directory.
func (f *fixture) setUser(t *testing.T, by, name, words string) error {
	t.Helper()
	var who *identity.User
	if by != "" {
		var ok bool
		if who, ok = f.Lookup(by); !ok {
			t.Fatalf("there is no %s", by)
		}
	}
	var args [][]byte
	for word := range strings.SplitSeq(words, " ") {
		args = append(args, []byte(word))
	}
	return f.Update(func(d *identity.Draft) error { return d.SetUser(name, args, who) })
}

func TestSetUser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "root", Tenants: []string{"T", "U"}, Rules: "~* &* +@all"})
	// step applies words to one user and wants what it is then.
	step := func(words, want string) {
		t.Helper()
		if err := f.setUser(t, "root", "x", words); err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		u, _ := f.Lookup("x")
		if got := strings.TrimPrefix(u.ACL(f.set), "user x "); got != want {
			t.Errorf("after %q: %q, want %q", words, got, want)
		}
	}
	step("sanitize-payload", "off sanitize-payload resetchannels -@all")
	step("on +get ~a:*", "on sanitize-payload ~a:* resetchannels -@all +get")
	step("+set (+del ~d:*)", "on sanitize-payload ~a:* resetchannels -@all +get +set (~d:* resetchannels -@all +del)")
	step("-get +get +get", "on sanitize-payload ~a:* resetchannels -@all +set +get (~d:* resetchannels -@all +del)")
	step("(+hget %R~h:* &c)", "on sanitize-payload ~a:* resetchannels -@all +set +get (~d:* resetchannels -@all +del) (%R~h:* resetchannels &c -@all +hget)")
	step("clearselectors resetkeys allchannels", "on sanitize-payload &* -@all +set +get")
	step("reset", "off sanitize-payload resetchannels -@all")

	in := func(token string) bool {
		_, err := f.Login(t.Context(), identity.Attempt{Name: "x", Token: []byte(token)})
		return err == nil
	}
	const first, second = "first-token-of-mine", "second-token-of-mine"
	step("on >"+first, "on sanitize-payload resetchannels -@all")
	step(">"+second+" >"+first, "on sanitize-payload resetchannels -@all")
	if !in(first) || !in(second) {
		t.Error("both tokens must be good")
	}
	if err := f.setUser(t, "root", "x", ">third-token-of-mine"); err == nil {
		t.Error("a third token")
	}
	step("<"+first, "on sanitize-payload resetchannels -@all")
	if in(first) || !in(second) {
		t.Error("the first token must be gone")
	}
	if err := f.setUser(t, "root", "x", "<"+first); !errors.Is(err, identity.ErrNoToken) {
		t.Error(err)
	}
	step("resetpass", "on sanitize-payload resetchannels -@all")
	if in(second) {
		t.Error("the second token must be gone")
	}
}

func TestSetUserAttributes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	words := "tenants=T,U sources=10.0.0.0/8,2001:db8::1 hours=mon-fri/07:00-19:00@Europe/Berlin purpose=treatment purposes=treatment,payment " +
		"categories=phi,session certificates=dns:app.example,uri:spiffe://td/app/* rate=500 owner=team@example.org ends=2027-01-31T00:00:00Z"
	if err := f.setUser(t, "", "x", words); err != nil {
		t.Fatal(err)
	}
	// It must be the same when it was written and read by another process.
	u, _ := f.open(t).Lookup("x")
	var got []string
	for _, name := range identity.AttributeNames() {
		if v := u.Attribute(name); v != "" {
			got = append(got, name+"="+v)
		}
	}
	want := "tenants=T,U owner=team@example.org ends=2027-01-31T00:00:00Z sources=10.0.0.0/8,2001:db8::1/128 hours=mon-fri/07:00-19:00@Europe/Berlin " +
		"purpose=treatment purposes=treatment,payment categories=phi,session certificates=dns:app.example,uri:spiffe://td/app/* rate=500"
	if strings.Join(got, " ") != want {
		t.Errorf("%s\nwant\n%s", strings.Join(got, " "), want)
	}
	for _, bad := range []string{
		"tenants=", "tenants=a:b", "sources=10.0.0.1/8", "sources=10.0.0.0/33", "sources=host", "sources=::ffff:10.0.0.0/104", "hours=x", "purpose=fun",
		"purposes=treatment,fun", "categories=PHI", "certificates=app", "certificates=cn:", "certificates=uri:app", "certificates=dns:*.example",
		"certificates=cn:a,cn:a", "rate=0", "rate=x", "owner=a/b", "ends=soon", "roles=king", "roles=break-glass,auditor", "roles=auditor,auditor",
	} {
		var mistake *identity.WordError
		if err := f.setUser(t, "", "y", "tenants=T "+bad); !errors.As(err, &mistake) || mistake.Word != 1 {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := f.setUser(t, "", "y", "tenants=T certificates=dns:app.example"); err == nil {
		t.Error("two users with one certificate")
	}
}

func TestSetUserMistakes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := func(words string, word int, kind identity.RuleKind) {
		t.Helper()
		err := f.setUser(t, "", "x", "tenants=T "+words)
		var mistake *identity.WordError
		if !errors.As(err, &mistake) || mistake.Word != word+1 || mistake.Kind != kind {
			t.Errorf("%q: %v %+v", words, err, mistake)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error quotes it: %v", words, err)
		}
	}
	g("+get +nosuch", 1, identity.UnknownName)
	g("+get +@nosuch", 1, identity.UnknownName)
	g("~* ~hunter2", 1, identity.AfterAllKeys)
	g("&* &hunter2", 1, identity.AfterAllChannels)
	g("+config|get|port", 0, identity.ByFirstArgument)
	g("-select|0", 0, identity.UnknownName)
	g("(+get ~hunter2", 0, identity.UnclosedSelector)
	g("hunter2", 0, identity.BadSyntax)
	g("+get >hunter2", 1, identity.BadSyntax)
	g("nopass", 0, identity.RefusedByLethe)
	g("skip-sanitize-payload", 0, identity.RefusedByLethe)
	g("#"+strings.Repeat("a", 64), 0, identity.RefusedByLethe)
	g("!"+strings.Repeat("a", 64), 0, identity.RefusedByLethe)
	if _, ok := f.Lookup("x"); ok {
		t.Error("a mistake made a user")
	}
	if err := f.Update(func(d *identity.Draft) error {
		return d.SetUser("x", [][]byte{[]byte("tenants=T"), []byte("~a +get")}, nil)
	}); err == nil {
		t.Error("one argument with two rules was taken")
	}
}

// Nobody can give, take or change over the wire what is beyond his own tenants and permissions.
func TestSetUserIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	add := func(name, tenants, rules string) {
		f.add(t, identity.NewUser{Name: name, Tenants: strings.Split(tenants, ","), Rules: rules})
	}
	add("root", "T,U", "~* &* +@all")
	add("lead", "T", "%R~a:* &c:* +@read +acl")
	add("victim", "T", "~* +@all")
	add("other", "U", "+get")
	f.add(t, identity.NewUser{Name: "officer", Tenants: []string{"T"}, Attributes: map[string]string{"roles": "privacy-officer"}})
	g := func(by, name, words string, want error) {
		t.Helper()
		if err := f.setUser(t, by, name, words); !errors.Is(err, want) {
			t.Errorf("%s does %q to %s: %v", by, words, name, err)
		}
	}
	g("lead", "new1", "+get %R~a:*", nil)
	g("lead", "new2", "+get %R~a:b:*", nil)
	g("lead", "new3", "+get %R~b:*", identity.ErrBeyond)
	g("lead", "new3", "+get ~a:*", identity.ErrBeyond)
	g("lead", "new3", "+get %R~*", identity.ErrBeyond)
	g("lead", "new3", "+set", identity.ErrBeyond)
	g("lead", "new3", "(+set)", identity.ErrBeyond)
	g("lead", "new3", "&*", identity.ErrBeyond)
	g("lead", "new3", "&c:*", nil)
	g("lead", "new4", "tenants=U", identity.ErrBeyond)
	g("lead", "new4", "tenants=T,U", identity.ErrBeyond)
	g("lead", "new4", "roles=application", identity.ErrBeyond)
	g("lead", "lead", "+@all", identity.ErrBeyond)
	g("lead", "victim", "off", identity.ErrBeyond)
	g("lead", "victim", ">a-token-that-lead-knows", identity.ErrBeyond)
	g("lead", "other", "off", identity.ErrBeyond)
	g("root", "officer", ">a-token-that-root-knows", identity.ErrBeyond)
	g("root", "new5", "roles=auditor", identity.ErrBeyond)
	g("root", "new5", "roles=break-glass", identity.ErrBeyond)
	g("root", "victim", "off", nil)
	g("root", "new6", "tenants=U roles=application", nil)
	if u, _ := f.Lookup("new1"); u.Home() != "T" || u.Enabled {
		t.Errorf("%+v", u)
	}
	if err := f.Update(func(d *identity.Draft) error {
		by, _ := f.Lookup("lead")
		return d.DeleteUser("victim", by)
	}); !errors.Is(err, identity.ErrBeyond) {
		t.Error(err)
	}
}

// Where Redis's own tests ask for it, a user begins with all channels; what users have already does not change.
func TestNewUsersHearAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "root", Tenants: []string{"T"}, Rules: "~* &* +@all"})
	step := func(on bool, name, words string, want bool) {
		t.Helper()
		f.NewUsersHearAll(on)
		if err := f.setUser(t, "root", name, words); err != nil {
			t.Fatal(err)
		}
		u, _ := f.Lookup(name)
		if got := u.Permissions().Channel([]byte("any")); got != want {
			t.Errorf("%s after %q: hears %v", name, words, got)
		}
	}
	step(false, "a", "+get", false)
	step(true, "a", "+set", false)
	step(true, "b", "+get", true)
	step(false, "b", "+set", true)
	step(true, "a", "reset +get", true)
	step(false, "a", "reset +get", false)
	f.NewUsersHearAll(true)
	if err := f.setUser(t, "root", "c", "&some"); err == nil {
		t.Error("a channel is added to all of them")
	}
}
