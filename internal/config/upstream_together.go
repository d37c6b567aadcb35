package config

import (
	"net"
	"path/filepath"
	"slices"
)

// upstreamTogether checks what single values cannot show. What gets past it is refused again by package upstream where it
// would send anything over a network in clear (design, G6); here it gets a mend.
func (l *loader) upstreamTogether() {
	if l.config.Backend != BackendUpstream {
		// A setting that is not looked at would let somebody believe that entries are somewhere else than they are.
		for _, e := range upstreamRows() {
			if given, ok := l.given[e.Name]; ok && given.Value != e.Default {
				l.wrong(e.Name, e.Name+" is given, and the backend is embedded", "set backend: upstream, or leave it out")
			}
		}
		return
	}
	l.upstreamAddresses()
	l.upstreamSecurity()
	l.upstreamCredentials()
	if l.config.RedisTests == "on" {
		l.wrong("redis_tests", "redis_tests is on, and the backend is upstream", "use the embedded backend for Redis's own tests")
	}
}

func (l *loader) wrong(setting, problem, mend string) {
	l.add(place{source: setting}, setting, problem, mend)
}

func (l *loader) upstreamAddresses() {
	u := &l.config.Upstream
	sockets := slices.ContainsFunc(u.Addresses, filepath.IsAbs)
	switch {
	case len(u.Addresses) == 0:
		l.wrong("upstream.addresses", "the backend is upstream, and upstream.addresses says nothing", "give --upstream-addresses HOST:PORT")
	case u.Mode == UpstreamStandalone && len(u.Addresses) != 1:
		l.wrong("upstream.addresses", "a standalone upstream has one address", "give one, or set upstream.mode: cluster or sentinel")
	case u.Mode == UpstreamCluster && sockets:
		l.wrong("upstream.addresses", "the nodes of a cluster are not on unix sockets", "give HOST:PORT of some of them")
	case sockets && u.TLS != UpstreamTLSOff:
		l.wrong("upstream.tls", "a unix socket has no TLS", "set upstream.tls: off and upstream.plaintext: on")
	}
	if (u.Mode == UpstreamSentinel) != (u.Master != "") {
		l.wrong("upstream.master", "upstream.master goes with upstream.mode: sentinel", "give both, or neither")
	}
}

func (l *loader) upstreamSecurity() {
	u := &l.config.Upstream
	if (u.Cert == "") != (u.Key == "") {
		l.wrong("upstream.cert", "upstream.cert and upstream.key are not given together", "give both, or neither")
	}
	if u.TLS != UpstreamTLSOff {
		return
	}
	switch {
	case !u.PlainText:
		l.wrong("upstream.tls", "upstream.tls is off, and upstream.plaintext does not allow it", "set upstream.plaintext: on for a unix socket or loopback, or use TLS")
	case slices.ContainsFunc(u.Addresses, isElsewhere):
		l.wrong("upstream.addresses", "upstream.tls is off, and an address is on another machine", "use TLS, or give a unix socket or an address of loopback")
	}
	if u.CA != "" || u.Cert != "" || u.ServerName != "" {
		l.wrong("upstream.tls", "upstream.tls is off, and certificates are given", "leave upstream.ca, upstream.cert and upstream.server_name out, or use TLS")
	}
}

// isElsewhere reports whether what is sent to an address may leave the machine.
func isElsewhere(address string) bool {
	if filepath.IsAbs(address) {
		return false
	}
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}

func (l *loader) upstreamCredentials() {
	u := &l.config.Upstream
	iam := u.IAM.Cache != ""
	switch {
	case iam && u.TokenFile != "":
		l.wrong("upstream.iam_cache", "upstream.iam_cache and upstream.token_file are two ways to log in", "keep one")
	case iam && u.User == "":
		l.wrong("upstream.user", "upstream.iam_cache has no upstream.user", "give the ElastiCache user that logs in by IAM")
	case iam && u.TLS == UpstreamTLSOff:
		l.wrong("upstream.tls", "IAM tokens need TLS, and upstream.tls is off", "use TLS")
	case !iam && u.User != "" && u.TokenFile == "":
		l.wrong("upstream.user", "upstream.user has neither upstream.token_file nor upstream.iam_cache", "give the file with its token")
	case !iam && (u.IAM.Region != "" || u.IAM.Serverless):
		l.wrong("upstream.iam_cache", "upstream.iam_region and upstream.iam_serverless are about a cache that is not named", "give upstream.iam_cache, or leave them out")
	}
	switch {
	case u.Mode != UpstreamSentinel && (u.SentinelUser != "" || u.SentinelTokenFile != ""):
		l.wrong("upstream.sentinel_user", "the sentinels' user or token is given, and there are no sentinels", "set upstream.mode: sentinel, or leave them out")
	case u.SentinelUser != "" && u.SentinelTokenFile == "":
		l.wrong("upstream.sentinel_user", "upstream.sentinel_user has no upstream.sentinel_token_file", "give the file with its token")
	}
}
