package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const persistingPolicy = `categories:
  session: {persist: true}
keys:
  - {match: "{tenant}:patient:{subject}", category: phi}
  - {match: "session:**", category: session, tenant: credential}
unmatched: phi
`

// keepingFlags are those of a gateway that keeps data keys, wrapped by a secret of one byte again and again.
func keepingFlags(t *testing.T, secret byte, flags []string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kept.secret")
	if err := os.WriteFile(file, bytes.Repeat([]byte{secret}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(flags, "--upstream-kept-keys", "file:"+file)
}

func writePolicy(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// kill -9 of the only gateway: what was acknowledged of a category with persist is there when it is started again, with its deadline;
// PHI is not, and no key of PHI was ever upstream. A gateway that has another key to unwrap with does not start.
func TestWhatPersistsIsThereAfterKill9(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) (flags []string, direct *testkit.Client){
		"standalone": func(t *testing.T) ([]string, *testkit.Client) {
			r := testkit.StartRedis(t, testkit.RedisOptions{})
			return upstreamFlags(r), r.Dial(t)
		},
		"cluster": func(t *testing.T) ([]string, *testkit.Client) {
			nodes := testkit.StartCluster(t)
			return []string{"--backend", "upstream", "--upstream-mode", "cluster", "--upstream-addresses", nodes[0].Addr(), "--upstream-tls", "off", "--upstream-plaintext", "on"}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, direct := start(t)
			o := testkit.LetheOptions{Plain: true, Policy: writePolicy(t, persistingPolicy), Flags: keepingFlags(t, 7, flags)}
			lethe := testkit.StartLethe(t, o)
			c := lethe.Dial(t, reader)
			expect(t, c, "+OK", "SET", "TENANT001:patient:1", "phi")
			if direct != nil {
				if n := direct.Do("HLEN", "lethe:kept").Int; n != 2 {
					t.Errorf("with PHI alone there are %d things on the shelf, not the wrapping key and the secret of names", n)
				}
			}
			for i := range 30 {
				expect(t, c, "+OK", "SET", fmt.Sprintf("session:%d", i), fmt.Sprint("value ", i), "EX", "600")
				expect(t, c, ":1", "HSET", fmt.Sprintf("session:h%d", i), "field", fmt.Sprint("value ", i))
			}
			expect(t, c, ":1", "DEL", "session:29")
			lethe.Kill(t)
			lethe = lethe.Restart(t, o)
			c = lethe.Dial(t, reader)
			for i := range 29 {
				key := fmt.Sprintf("session:%d", i)
				want := fmt.Sprintf("$%d\r\nvalue %d", len(fmt.Sprint("value ", i)), i)
				expect(t, c, want, "GET", key)
				expect(t, c, want, "HGET", fmt.Sprintf("session:h%d", i), "field")
				if left := c.Do("TTL", key).Int; left < 500 || left > 600 {
					t.Errorf("%s lives for %d s", key, left)
				}
			}
			expect(t, c, "$-1", "GET", "session:29")
			expect(t, c, "$-1", "GET", "TENANT001:patient:1")
			expect(t, c, ":59", "DBSIZE")
			lethe.Stop(t)
			other := lethe.Program(append([]string{"serve", "--data-dir", lethe.DataDir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--policy", o.Policy},
				keepingFlags(t, 8, flags)...)...)
			out, err := other.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "cannot unwrap the key of kept data keys") || strings.Contains(string(out), "ready") {
				t.Errorf("with another key: %v\n%s", err, out)
			}
		})
	}
}

// A policy whose categories could not be kept does not start a server.
func TestWhatCannotPersistIsRefused(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.PrepareLethe(t, testkit.LetheOptions{})
	policy := writePolicy(t, persistingPolicy)
	for want, flags := range map[string][]string{
		"keeps nothing on disk":       nil,
		"nothing wraps their data":    upstreamFlags(redis),
		"the backend is embedded":     {"--upstream-kept-keys", "file:/secret"},
		"neither a file nor a key":    append(upstreamFlags(redis), "--upstream-kept-keys", "vault"),
		"sent to the KMS in clear":    append(upstreamFlags(redis), "--upstream-kept-keys", "aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1"),
		"cannot read upstream.kept_k": append(upstreamFlags(redis), "--upstream-kept-keys", "file:"+filepath.Join(t.TempDir(), "none")),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		serve := lethe.Program(append([]string{"serve", "--data-dir", lethe.DataDir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--policy", policy}, flags...)...)
		serve.Env = append(os.Environ(), "AWS_ENDPOINT_URL_KMS=http://192.0.2.1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b")
		stop := context.AfterFunc(ctx, func() { _ = serve.Process.Kill() })
		out, err := serve.CombinedOutput()
		stop()
		cancel()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%q: %v\n%s", want, err, out)
		}
	}
}
