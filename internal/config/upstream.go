package config

import (
	"net"
	"path/filepath"
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
	TokenFile string   // "": no authentication, or IAM's
	PlainText bool     // loopback and unix sockets may do without TLS
	Gateways  int      // how many gateways must be in touch, this one included, before PHI is served

	ServerName        string // in the upstream's certificate; "": the host that is connected to
	SentinelUser      string // "": the default user of the sentinels
	SentinelTokenFile string // "": the sentinels ask for none
	IAM               UpstreamIAM
	NearCache         int64 // bytes; 0: none
	ReplicaReads      bool
	KeptKeys          string // what wraps data keys that survive a restart: KeptKeysFile or KeptKeysAWS, a colon, and where; "": nothing
}

// What wraps data keys that survive a restart.
const (
	KeptKeysFile = "file"
	KeptKeysAWS  = "aws-kms"
)

// UpstreamIAM is an ElastiCache user who logs in with tokens that AWS credentials sign.
type UpstreamIAM struct {
	Cache      string // of the replication group or serverless cache; "": no IAM
	Region     string // "": the environment's
	Serverless bool
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
		row("upstream.gateways", "NUMBER", "1", "how many gateways must be in touch with each other, this one included, before one serves PHI; more than half of all where the upstream itself could be divided",
			number(1, 1000, func(c *Config) *int { return &c.Upstream.Gateways })),
		row("upstream.plaintext", "off|on", "off", "whether an upstream on loopback or a unix socket may be spoken to without TLS",
			onOff(func(c *Config) *bool { return &c.Upstream.PlainText })),
		row("upstream.near_cache", "SIZE|off", "off", "memory for sealed entries of categories with near: true, which the upstream tells changes of",
			orOff(size(1<<20, 1<<40, func(c *Config) *int64 { return &c.Upstream.NearCache }), func(c *Config) { c.Upstream.NearCache = 0 })),
		row("upstream.replica_reads", "off|on", "off", "whether replicas may answer reads of categories with replica_reads: true",
			onOff(func(c *Config) *bool { return &c.Upstream.ReplicaReads })),
		row("upstream.kept_keys", "file:PATH|aws-kms:ARN", "", "what wraps the data keys of categories with persist: true, whose entries survive a restart of all gateways: a file with a secret, or a key of AWS KMS",
			setKeptKeys),
		row("upstream.server_name", "NAME", "", "the name in the upstream's certificates; none is the host that is connected to",
			text(func(u *Upstream) *string { return &u.ServerName })),
		row("upstream.sentinel_user", "NAME", "", "the sentinels' user; none is their default user", text(func(u *Upstream) *string { return &u.SentinelUser })),
		row("upstream.sentinel_token_file", "FILE", "", "the file with the sentinels' token, read again for each connection",
			text(func(u *Upstream) *string { return &u.SentinelTokenFile })),
		row("upstream.iam_cache", "NAME", "", "the ElastiCache replication group or serverless cache that upstream.user logs in to by IAM; none uses upstream.token_file",
			text(func(u *Upstream) *string { return &u.IAM.Cache })),
		row("upstream.iam_region", "NAME", "", "its region; none is the one of the AWS environment", text(func(u *Upstream) *string { return &u.IAM.Region })),
		row("upstream.iam_serverless", "off|on", "off", "whether it is a serverless cache", onOff(func(c *Config) *bool { return &c.Upstream.IAM.Serverless })),
	}
}

func setKeptKeys(c *Config, text string) error {
	kind, where, _ := strings.Cut(text, ":")
	switch {
	case text == "", kind == KeptKeysFile && filepath.IsAbs(where), kind == KeptKeysAWS && strings.HasPrefix(where, "arn:"):
		c.Upstream.KeptKeys = text
		return nil
	}
	return &valueError{"is neither a file nor a key", "write file: and the absolute path of a secret of 32 bytes or more, or aws-kms: and the ARN of a key"}
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
