package config_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/lethe-cache/lethe/internal/config"
)

// Every combination that cannot work, or that would send something in clear, is refused with a mend.
func TestUpstreamSettingsTogether(t *testing.T) {
	t.Parallel()
	base := map[string]string{"backend": "upstream"}
	f := func(flags map[string]string, want ...string) {
		t.Helper()
		all := maps.Clone(base)
		maps.Copy(all, flags)
		_, mistakes := config.Load("", all, home.get)
		var got []string
		for _, m := range mistakes {
			got = append(got, m.Problem)
			if m.Hint() == "" {
				t.Errorf("%q has no mend", m.Problem)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v:\n%q\nwant\n%q", flags, got, want)
		}
	}
	with := func(address string, more ...string) map[string]string {
		m := map[string]string{"upstream-addresses": address}
		for i := 0; i < len(more); i += 2 {
			m["upstream-"+more[i]] = more[i+1]
		}
		return m
	}
	const host = "redis.example:6379"
	f(with(host))
	f(with(host, "tls", "1.2", "ca", "ca.pem", "cert", "c.pem", "key", "k.pem", "server-name", "redis", "user", "lethe", "token-file", "token"))
	f(with("/run/redis.sock", "tls", "off", "plaintext", "on"))
	f(with("127.0.0.1:6379", "tls", "off", "plaintext", "on", "token-file", "token"))
	f(with("a:1,b:1,c:1", "mode", "cluster"))
	f(with("a:1,b:1", "mode", "sentinel", "master", "lethe", "sentinel-user", "s", "sentinel-token-file", "t"))
	f(with(host, "user", "lethe", "iam-cache", "cache", "iam-region", "eu-central-1", "iam-serverless", "on"))

	f(nil, "the backend is upstream, and upstream.addresses says nothing")
	f(with("a:1,b:1"), "a standalone upstream has one address")
	f(with("redis.example"), "upstream.addresses is not a list of addresses")
	f(with("/run/redis.sock", "mode", "cluster"), "the nodes of a cluster are not on unix sockets")
	f(with("/run/redis.sock"), "a unix socket has no TLS")
	f(with("a:1", "mode", "sentinel"), "upstream.master goes with upstream.mode: sentinel")
	f(with(host, "master", "m"), "upstream.master goes with upstream.mode: sentinel")
	f(with(host, "cert", "c.pem"), "upstream.cert and upstream.key are not given together")
	f(with("127.0.0.1:6379", "tls", "off"), "upstream.tls is off, and upstream.plaintext does not allow it")
	f(with("10.0.0.1:6379", "tls", "off", "plaintext", "on"), "upstream.tls is off, and an address is on another machine")
	f(with(host, "tls", "off", "plaintext", "on"), "upstream.tls is off, and an address is on another machine")
	f(with("[::1]:6379", "tls", "off", "plaintext", "on", "ca", "ca.pem"), "upstream.tls is off, and certificates are given")
	f(with(host, "user", "lethe"), "upstream.user has neither upstream.token_file nor upstream.iam_cache")
	f(with(host, "user", "lethe", "token-file", "t", "iam-cache", "c"), "upstream.iam_cache and upstream.token_file are two ways to log in")
	f(with(host, "iam-cache", "c"), "upstream.iam_cache has no upstream.user")
	f(with("[::1]:6379", "tls", "off", "plaintext", "on", "user", "u", "iam-cache", "c"), "IAM tokens need TLS, and upstream.tls is off")
	f(with(host, "iam-region", "eu-central-1"), "upstream.iam_region and upstream.iam_serverless are about a cache that is not named")
	f(with(host, "sentinel-token-file", "t"), "the sentinels' user or token is given, and there are no sentinels")
	f(with("a:1", "mode", "sentinel", "master", "m", "sentinel-user", "s"), "upstream.sentinel_user has no upstream.sentinel_token_file")

	base = map[string]string{"backend": "embedded"}
	f(with(host), "upstream.addresses is given, and the backend is embedded")
	f(map[string]string{"upstream-iam-serverless": "on"}, "upstream.iam_serverless is given, and the backend is embedded")
}
