package live

import (
	"context"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Read asks a server everything. The resource is always complete in the sense of the model: what could not be learned is
// unknown. The error says that the server could not be reached or asked, so that the scan is not whole.
func Read(ctx context.Context, t Target) (*model.Resource, error) {
	w := Probe(ctx, &t)
	r := newResource(&t, &w)
	if !w.Reached {
		Facts(r, &w, Answers{Why: w.Why})
		return r, &Unreached{w.Why}
	}
	c, done, err := open(ctx, &t, &w)
	if err != nil {
		Facts(r, &w, Answers{Why: err.Error()})
		return r, &Unreached{err.Error()}
	}
	defer done()
	a := Collect(c)
	if a.isLethe() {
		r.ID.Target = model.Lethe
	}
	if t.Sample.Keys > 0 && a.Why == "" {
		a.Keys, err = sampleKeys(ctx, c, t.Sample, a.Info)
		if err != nil {
			a.KeysWhy = err.Error()
		}
	}
	a.DiskEncrypted, a.DiskWhy = localDisk(&t, a.Config["dir"])
	Facts(r, &w, a)
	if a.Why != "" {
		return r, &Unreached{a.Why}
	}
	return r, nil
}

// Unreached says that a server could not be asked, and why.
type Unreached struct{ Why string }

func (e *Unreached) Error() string { return "cannot ask the server: " + e.Why }

func newResource(t *Target, w *Wire) *model.Resource {
	target := model.Live
	if w.isLethe() {
		target = model.Lethe
	}
	return model.NewResource(model.ID{Target: target, Kind: model.Server, Name: t.Address}, model.Source{})
}

func from(setting string) model.Source { return model.Source{Setting: setting} }

// Facts sets what connecting and asking told.
func Facts(r *model.Resource, w *Wire, a Answers) {
	about(r, &a)
	settings := config.NewSettings()
	switch {
	case a.Config == nil:
		settings.Forget(a.configWhy(), from("CONFIG GET"))
	case r.ID.Target == model.Lethe:
		settings.Forget("a running Lethe does not tell it; scan its settings file", from("CONFIG GET"))
	}
	for name, value := range a.Config {
		if name != "aclfile" && name != "dir" {
			settings.Add(name, strings.Fields(value), from("CONFIG GET "+name))
		}
	}
	// Lines without words would read as nothing at all: an empty save is off, an empty bind is everything.
	if v, ok := a.Config["save"]; ok && v == "" {
		settings.Add("save", []string{""}, from("CONFIG GET save"))
	}
	config.Facts(r, settings, nil)
	wireFacts(r, w)
	users(r, w, &a)
	state(r, &a)
	contents(r, &a)
	if r.ID.Target == model.Lethe {
		letheFacts(r, w, &a)
	}
}

// about says what the server is.
func about(r *model.Resource, a *Answers) {
	if a.Info == nil {
		for _, f := range []model.AnyFact{model.Engine, model.EngineVersion, model.DistroBuild} {
			f.SetUnknown(r, a.reason("INFO"), from("INFO"))
		}
		return
	}
	engine, version := "redis", a.Info["redis_version"]
	for _, other := range []string{"valkey", "dragonfly", "lethe"} {
		if v := a.Info[other+"_version"]; v != "" {
			engine, version = other, strings.TrimPrefix(strings.TrimPrefix(v, "df-"), "v")
		}
	}
	if strings.Contains(a.Info["executable"], "keydb") {
		engine = "keydb"
	}
	model.Engine.Set(r, engine, from("INFO server"))
	if version == "" {
		model.EngineVersion.SetUnknown(r, "INFO does not tell it", from("INFO server"))
	} else {
		model.EngineVersion.Set(r, version, from("INFO server"))
	}
	// Distributions install into /usr/bin; what one builds or the images have is in /usr/local/bin.
	model.DistroBuild.Set(r, strings.HasPrefix(a.Info["executable"], "/usr/bin/"), from("INFO executable"))
}

func wireFacts(r *model.Resource, w *Wire) {
	at := from("TLS handshake")
	if !w.Reached {
		for _, f := range []model.AnyFact{model.TransitEncryption, model.PlaintextRefused, model.TLSVersions, model.TLSWeakSuites, model.TLSCertificate} {
			f.SetUnknown(r, w.Why, at)
		}
		return
	}
	model.TransitEncryption.Set(r, w.offers(), at)
	plain := from("PING without TLS")
	if w.PlainWhy != "" {
		model.PlaintextRefused.SetUnknown(r, w.PlainWhy, plain)
	} else {
		model.PlaintextRefused.Set(r, w.refusesPlain(), plain)
	}
	model.TLSVersions.Set(r, w.Versions, at)
	model.TLSWeakSuites.Set(r, w.WeakSuites, at)
	if w.Certificate != nil {
		model.TLSCertificate.Set(r, *w.Certificate, at)
	} else {
		model.TLSCertificate.SetUnknown(r, "no handshake ended", at)
	}
	if v, ok := model.ClientCertificates.Of(r).Get(); (!ok || v == "yes") && !w.CertAsked && w.offers() {
		model.ClientCertificates.Set(r, "no", at) // whatever the setting says, nobody was asked
	}
}
