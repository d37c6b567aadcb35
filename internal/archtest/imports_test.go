package archtest

import (
	"slices"
	"strings"
	"testing"
)

// allowed is which of our packages a package may import: docs/architecture.md has the picture. Dependencies point
// downwards, and what is not here may import none.
func allowed() map[string][]string {
	return map[string][]string{
		"identity": {"secret"},
		"oidc":     {"identity"},
		"ldapauth": {"identity", "secret"},
		"command":  {"engine", "geohash", "glob", "hll", "rdb", "resp"},
		"gateway":  {"audit", "command", "consent", "engine", "failpoint", "glob", "identity", "policy", "register", "resp", "script", "upstream"},
		"register": {"secret"},
		"script":   {"resp"},
		"audit":    {"failpoint"},
		"seal":     {"failpoint"},
		"consent":  {"failpoint", "secret"},
		"fleet":    {"consent", "failpoint"},
		"admin":    {"consent"},
		"upstream": {"command", "engine", "failpoint", "resp", "seal"},
		"migrate":  {"failpoint", "policy", "resp", "upstream"},
		"server":   {"gateway", "peer", "resp"},
		"metrics":  {"audit", "command", "engine", "gateway", "policy", "server", "upstream"},
		"cli": {"admin", "audit", "command", "config", "consent", "engine", "fleet", "gateway", "identity", "ldapauth", "metrics", "migrate", "oidc", "peer", "policy", "register", "resp",
			"safeguards/awsapi", "safeguards/awspolicy", "safeguards/baseline", "safeguards/cel", "safeguards/live", "safeguards/model",
			"safeguards/profile", "safeguards/remedy", "safeguards/report", "safeguards/rules", "safeguards/scan", "safeguards/watch",
			"seal", "secret", "server", "upstream"},
		"cmd/lethe": {"cli"},

		"safeguards/rules":          {"safeguards/model", "safeguards/osv"},
		"safeguards/profile":        {"safeguards/model", "safeguards/osv", "safeguards/rules", "safeguards/yamltree"},
		"safeguards/cel":            {"safeguards/model", "safeguards/profile", "safeguards/rules"},
		"safeguards/baseline":       {"safeguards/model"},
		"safeguards/config":         {"safeguards/model"},
		"safeguards/declared":       {"safeguards/config", "safeguards/model"},
		"safeguards/terraform":      {"safeguards/declared", "safeguards/model", "safeguards/yamltree"},
		"safeguards/cloudformation": {"safeguards/declared", "safeguards/model", "safeguards/yamltree"},
		"safeguards/kubernetes":     {"safeguards/config", "safeguards/model", "safeguards/osv", "safeguards/yamltree"},
		"safeguards/live":           {"resp", "safeguards/config", "safeguards/model"},
		"safeguards/lethe":          {"config", "identity", "policy", "safeguards/config", "safeguards/live", "safeguards/model", "safeguards/yamltree"},
		"safeguards/scan": {"safeguards/cloudformation", "safeguards/config", "safeguards/kubernetes", "safeguards/lethe", "safeguards/live", "safeguards/model",
			"safeguards/rules", "safeguards/terraform", "safeguards/yamltree"},
		"safeguards/report": {"safeguards/model", "safeguards/rules", "safeguards/scan"},
		"safeguards/awsapi": {"safeguards/model"},
		"safeguards/remedy": {"safeguards/awsapi", "safeguards/model"},
		"safeguards/watch":  {"safeguards/awsapi", "safeguards/model", "safeguards/remedy"},

		// These ship nothing.
		"testkit":     {"resp"},
		"conformance": {"command", "resp", "testkit"},
		"bench":       {"resp", "testkit"},
	}
}

// outside is who may import a module of others: the fewer, the easier it is replaced, and the less is in reach of data.
func outside() map[string][]string {
	return map[string][]string{
		"github.com/spf13/cobra":          {"cli"},
		"github.com/spf13/pflag":          {"cli"},
		"go.yaml.in/yaml":                 {"config", "identity", "policy", "safeguards/awsapi", "safeguards/remedy", "safeguards/yamltree"},
		"github.com/yuin/gopher-lua":      {"script"},
		"cel.dev/cel-go":                  {"safeguards/cel"},
		"github.com/hashicorp":            {"safeguards/terraform"},
		"github.com/zclconf/go-cty":       {"safeguards/terraform"},
		"github.com/aws":                  {"safeguards/awsapi", "safeguards/fakeaws", "safeguards/remedy", "safeguards/watch"},
		"github.com/prometheus":           {"metrics", "admin"},
		"github.com/coreos/go-oidc":       {"oidc"},
		"github.com/go-jose/go-jose":      {"oidc"},
		"github.com/go-ldap/ldap":         {"ldapauth"},
		"github.com/pires/go-proxyproto":  {"peer"},
		"golang.org/x/mod":                {"audit"},
		"github.com/klauspost/compress":   {"audit"},
		"golang.org/x/sys":                {"audit", "cli", "config", "engine", "gateway", "identity", "safeguards/live", "secret", "server", "upstream", "bench"},
		"github.com/santhosh-tekuri":      {},
		"github.com/redis":                {"bench"},
		"github.com/rogpeppe/go-internal": {},
		"go.uber.org/goleak":              {},
		"pgregory.net/rapid":              {},
	}
}

func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	edges := allowed()
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module) && !slices.Contains(edges[p.short()], shorten(path)) {
				t.Errorf("%s imports %s, which the table does not allow", p.short(), shorten(path))
			}
		}
	}
}

func TestModulesOfOthersStayInTheirPlaces(t *testing.T) {
	t.Parallel()
	places := outside()
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(path, module) {
				continue
			}
			known := false
			for prefix, users := range places {
				if strings.HasPrefix(path, prefix) {
					known = true
					if !slices.Contains(users, p.short()) {
						t.Errorf("%s imports %s, which is for %v", p.short(), path, users)
					}
				}
			}
			if !known {
				t.Errorf("%s imports %s, which is in no row of the table", p.short(), path)
			}
		}
	}
}

// Cryptography is the standard library's, so that a FIPS 140-3 build uses the validated module for all of it.
func TestCryptographyIsTheStandardLibrarys(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if strings.HasPrefix(path, "golang.org/x/crypto") {
				t.Errorf("%s imports %s", p.short(), path)
			}
		}
	}
}
