package config

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
)

// Where entries are kept.
const (
	BackendEmbedded = "embedded"
	BackendUpstream = "upstream"
)

// Upstream is an existing Redis, Valkey or ElastiCache, for BackendUpstream.
type Upstream struct {
	Mode      string   // UpstreamStandalone, UpstreamSentinel or UpstreamCluster
	Addresses []string // HOST:PORT, or the path of a unix socket
	Master    string   // the primary's name among the sentinels
	TLS       string   // UpstreamTLS13, UpstreamTLS12 or UpstreamTLSOff
	CA        string   // PEM file of authorities; "": the system's
	Cert, Key string   // PEM files of a client certificate, both or none
	User      string   // "": the default user
	TokenFile string   // "": no authentication
	PlainText bool     // loopback and unix sockets may do without TLS
}

// The ways in which an upstream is put together.
const (
	UpstreamStandalone = "standalone"
	UpstreamSentinel   = "sentinel"
	UpstreamCluster    = "cluster"
)

// The least version of TLS to an upstream.
const (
	UpstreamTLS13  = "1.3"
	UpstreamTLS12  = "1.2"
	UpstreamTLSOff = "off"
)

// upstreamRows are the settings of Upstream.
func upstreamRows() []entry {
	text := func(into func(*Upstream) *string) func(*Config, string) error {
		return path(func(c *Config) *string { return into(&c.Upstream) })
	}
	word := func(into func(*Upstream) *string, choices ...string) func(*Config, string) error {
		return choice(func(c *Config) *string { return into(&c.Upstream) }, choices...)
	}
	return []entry{
		row("upstream.mode", "standalone|sentinel|cluster", UpstreamStandalone, "how the upstream is put together",
			word(func(u *Upstream) *string { return &u.Mode }, UpstreamStandalone, UpstreamSentinel, UpstreamCluster)),
		row("upstream.addresses", "ADDRESS,...", "", "where the upstream, its sentinels or some of its nodes are: HOST:PORT, or the path of a unix socket", setUpstreamAddresses),
		row("upstream.master", "NAME", "", "the primary's name among the sentinels", text(func(u *Upstream) *string { return &u.Master })),
		row("upstream.tls", "1.3|1.2|off", UpstreamTLS13, "the least version of TLS to the upstream; off needs upstream.plaintext",
			word(func(u *Upstream) *string { return &u.TLS }, UpstreamTLS13, UpstreamTLS12, UpstreamTLSOff)),
		row("upstream.ca", "FILE", "", "the authorities for the upstream's certificate, PEM; none is the system's", text(func(u *Upstream) *string { return &u.CA })),
		row("upstream.cert", "FILE", "", "a client certificate for the upstream, PEM", text(func(u *Upstream) *string { return &u.Cert })),
		row("upstream.key", "FILE", "", "the key of upstream.cert, PEM", text(func(u *Upstream) *string { return &u.Key })),
		row("upstream.user", "NAME", "", "the upstream's user; none is its default user", text(func(u *Upstream) *string { return &u.User })),
		row("upstream.token_file", "FILE", "", "the file with that user's token, read again for each connection", text(func(u *Upstream) *string { return &u.TokenFile })),
		row("upstream.plaintext", "off|on", "off", "whether an upstream on loopback or a unix socket may be spoken to without TLS",
			func(c *Config, text string) error {
				var chosen string
				err := choice(func(*Config) *string { return &chosen }, "off", "on")(c, text)
				c.Upstream.PlainText = chosen == "on"
				return err
			}),
	}
}

func setUpstreamAddresses(c *Config, text string) error {
	var all []string
	for _, a := range strings.Split(text, ",") {
		a = strings.TrimSpace(a)
		host, port, err := net.SplitHostPort(a)
		if !filepath.IsAbs(a) && (err != nil || host == "" || port == "" || port == "0") {
			return &valueError{"is not a list of addresses", "write HOST:PORT, or the absolute path of a unix socket, with commas between them"}
		}
		all = append(all, a)
	}
	c.Upstream.Addresses = all
	return nil
}

// upstreamTogether checks what single values cannot show.
func (l *loader) upstreamTogether() {
	c, u := l.config, &l.config.Upstream
	wrong := func(setting, problem, mend string) {
		l.add(place{source: setting}, setting, problem, mend)
	}
	if c.Backend != BackendUpstream {
		// A setting that is not looked at would let somebody believe that entries are somewhere else than they are.
		for _, e := range upstreamRows() {
			if given, ok := l.given[e.Name]; ok && given.Value != e.Default {
				wrong(e.Name, e.Name+" is given, and the backend is embedded", "set backend: upstream, or leave it out")
			}
		}
		return
	}
	switch {
	case len(u.Addresses) == 0:
		wrong("upstream.addresses", "the backend is upstream, and upstream.addresses says nothing", "give --upstream-addresses HOST:PORT")
	case u.Mode == UpstreamStandalone && len(u.Addresses) != 1:
		wrong("upstream.addresses", "a standalone upstream has one address", "give one, or set upstream.mode")
	}
	if (u.Mode == UpstreamSentinel) != (u.Master != "") {
		wrong("upstream.master", "upstream.master goes with upstream.mode: sentinel", "give both, or neither")
	}
	if (u.Cert == "") != (u.Key == "") {
		wrong("upstream.cert", "upstream.cert and upstream.key are not given together", "give both, or neither")
	}
	if u.TLS == UpstreamTLSOff && !u.PlainText {
		wrong("upstream.tls", "upstream.tls is off, and upstream.plaintext does not allow it", "set upstream.plaintext: on for a unix socket or loopback, or use TLS")
	}
	if u.TLS == UpstreamTLSOff && slices.ContainsFunc([]string{u.CA, u.Cert}, func(s string) bool { return s != "" }) {
		wrong("upstream.tls", "upstream.tls is off, and certificates are given", "leave them out, or use TLS")
	}
	if u.User != "" && u.TokenFile == "" {
		wrong("upstream.user", "upstream.user has no upstream.token_file", "give the file with its token")
	}
	if c.RedisTests == "on" {
		wrong("redis_tests", "redis_tests is on, and the backend is upstream", "use the embedded backend for Redis's own tests")
	}
}
