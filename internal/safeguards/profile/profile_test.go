package profile_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

func TestBuiltin(t *testing.T) {
	t.Parallel()
	for _, name := range profile.Names() {
		if profile.Builtin(name) == nil {
			t.Errorf("there is no profile %s", name)
		}
	}
	seed := profile.Builtin("seed")
	on := 0
	for _, r := range rules.Catalogue() {
		if !seed.Settings[r.ID].Disabled {
			on++
		}
	}
	if on != 6 {
		t.Errorf("seed has %d rules, want 6", on)
	}
	nprm := profile.Builtin("nprm-2025")
	if s := nprm.Settings["ENC-REST-02"].Severity; s != model.High {
		t.Errorf("ENC-REST-02 has severity %s in nprm-2025, want high", s)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	p, mistakes := profile.Parse([]byte(`
name: ours
extends: seed
rules:
  BKP-01:  {enabled: true, severity: critical, params: {days: 35}}
  AUTH-06: {params: {administrators: [root]}}
  ENC-TLS-04: {params: {tls13_only: false}}
  VER-02: {params: {valkey_min: "8.0"}}
custom:
  - id: OURS-01
    title: Valkey only
    severity: medium
    kinds: [replication_group]
    targets: [aws]
    pass: facts.engine == "valkey"
`))
	if p == nil {
		t.Fatal(mistakes)
	}
	s := p.Settings["BKP-01"]
	if s.Disabled || s.Severity != model.Critical || s.Params["days"] != int64(35) || len(p.Custom) != 1 || p.Name != "ours" {
		t.Errorf("profile is %+v", p)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	f := func(src, want string) {
		t.Helper()
		p, mistakes := profile.Parse([]byte(src))
		if p != nil || len(mistakes) == 0 || !strings.Contains(mistakes[0].Text, want) || mistakes[0].Line < 1 {
			t.Errorf("%q gives %v, want a mistake with %q", src, mistakes, want)
		}
	}
	f("", "one mapping")
	f("[", "not valid YAML")
	f("rule: {}", "no field")
	f("extends: lax", "no profile")
	f("rules: {ENC-TLS-99: {}}", "no rule")
	f("rules: {BKP-01: {enable: false}}", "no field")
	f("rules: {BKP-01: {enabled: maybe}}", "true or false")
	f("rules: {BKP-01: {severity: none}}", "severity is")
	f("rules: {BKP-01: {params: {day: 3}}}", "no parameter")
	f("rules: {BKP-01: {params: {days: many}}}", "a number")
	f("rules: {BKP-01: {params: {days: -1}}}", "a number")
	f("rules: {AUTH-06: {params: {administrators: root}}}", "a list")
	f("rules: {VER-02: {params: {redis_min: new}}}", "a version")
	f("rules: {VER-02: {params: {redis_also: [old]}}}", "versions")
	f("custom: [{title: x}]", "needs")
	f("custom: [{id: BKP-01, title: x, severity: low, pass: 'true'}]", "taken")
	f("custom: [{id: X, title: x, severity: low, pass: 'true', kinds: [cache]}]", "no kind")
	f("custom: [{id: X, title: x, severity: low, pass: 'true', targets: [moon]}]", "no target")
}
