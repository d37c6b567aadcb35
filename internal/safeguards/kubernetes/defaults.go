package kubernetes

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// imageDefaults sets what images do differently from the server's own defaults. Arguments come after it and win.
func (c *container) imageDefaults(s *config.Settings) {
	at := c.at
	at.Default = true
	standard := func(name string, words ...string) {
		if !s.Has(name) {
			at.Setting = name + " of the image"
			s.Add(name, words, at)
		}
	}
	switch {
	case c.image.engine() == "dragonfly":
		c.dragonfly(s)
	case c.image.isBitnami():
		c.bitnami(s, standard)
	case c.image.isOfficial():
		// Built with protected mode off, since the address of every client is another container's.
		standard("protected-mode", "no")
	default:
		if !s.Has("protected-mode") {
			s.Unknown("protected-mode", "whether the image switches it off is not known", at)
		}
	}
}

// bitnami: its images and those made like them take settings from the environment.
func (c *container) bitnami(s *config.Settings, standard func(name string, words ...string)) {
	get := func(name string) (variable, bool) {
		for _, prefix := range []string{"REDIS_", "VALKEY_", "KEYDB_"} {
			if v, ok := c.env[prefix+name]; ok {
				return v, true
			}
		}
		return variable{}, false
	}
	put := func(directive string, v variable) {
		at := v.at
		at.Setting = directive
		switch {
		case v.origin != "" && isPassword(directive):
			s.Secret(directive, v.origin, at)
		case v.origin != "" || v.why != "":
			s.Unknown(directive, "it is filled in from elsewhere", at)
		default:
			s.Add(directive, []string{v.text}, at)
		}
	}
	standard("protected-mode", "no")
	standard("appendonly", "yes")
	if v, ok := get("PASSWORD"); ok {
		put("requirepass", v)
	} else if v, ok := get("PASSWORD_FILE"); ok {
		s.Secret("requirepass", "reference", v.at)
	}
	for name, directive := range map[string]string{"AOF_ENABLED": "appendonly", "TLS_AUTH_CLIENTS": "tls-auth-clients", "ACLFILE": "aclfile"} {
		if v, ok := get(name); ok {
			put(directive, v)
		}
	}
	if v, ok := get("TLS_ENABLED"); ok && v.text == "yes" {
		port := variable{text: "6379", at: v.at}
		if p, set := get("TLS_PORT_NUMBER"); set {
			port = p
		}
		put("tls-port", port)
		plain := variable{text: "0", at: v.at}
		if p, set := get("PORT_NUMBER"); set && p.text != port.text {
			plain = p
		}
		put("port", plain)
	}
	if v, ok := get("DISABLE_COMMANDS"); ok {
		for _, command := range strings.Split(v.text, ",") {
			s.Add("rename-command", []string{strings.TrimSpace(command), ""}, v.at)
		}
	}
}

// dragonfly has flags of its own; what Redis's directives of the same name mean is known of these only.
func (c *container) dragonfly(s *config.Settings) {
	s.Forget("Dragonfly has settings of its own", c.at)
	for _, a := range c.args {
		name, value, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name == "tls" && (value == "" || value == "true") {
			s.Add("port", []string{"0"}, c.at)
			s.Add("tls-port", []string{"6379"}, c.at)
			return
		}
	}
	s.Add("tls-port", []string{"0"}, model.Source{File: c.at.File, Line: c.at.Line, Setting: "tls", Default: true})
}
