package identity_test

import (
	"path/filepath"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

func BenchmarkPermissions(b *testing.B) {
	set := newCommandTable(realCommands)
	get, _ := set.ID("get")
	key := []byte("TENANT001:patient:12345")
	for _, c := range []struct{ name, rules string }{
		{"default", identity.DefaultRules(set)},
		{"prefix", "~TENANT001:* +@read"},
		{"third pattern", "~a:* %W~b:* %R~*:patient:[0-9]* +@read"},
	} {
		p, err := identity.ParseRules(set, c.rules)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/command", func(b *testing.B) {
			for b.Loop() {
				p.Command(get)
			}
		})
		b.Run(c.name+"/key", func(b *testing.B) {
			for b.Loop() {
				p.Key(key, identity.Read)
			}
		})
		b.Run(c.name+"/paths", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.WithKey(p.Paths(get), key, identity.Read)
			}
		})
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	d, err := identity.OpenDirectory(filepath.Join(b.TempDir(), identity.FileName), newCommandTable(realCommands))
	if err != nil {
		b.Fatal(err)
	}
	_, token, err := identity.Bootstrap(d)
	if err != nil {
		b.Fatal(err)
	}
	given := chosen("correct-horse-battery")
	err = d.Update(func(t *identity.Draft) error {
		_, err := t.Add(identity.NewUser{Name: "chosen", Tenants: []string{"T"}, Token: given})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("generated", func(b *testing.B) {
		for b.Loop() {
			_, _ = d.Authenticate("app", token.Reveal())
		}
	})
	b.Run("chosen, verified before", func(b *testing.B) {
		_, _ = d.Authenticate("chosen", given.Reveal())
		for b.Loop() {
			_, _ = d.Authenticate("chosen", given.Reveal())
		}
	})
	b.Run("chosen, wrong", func(b *testing.B) {
		for b.Loop() {
			_, _ = d.Authenticate("nobody", given.Reveal())
		}
	})
}
