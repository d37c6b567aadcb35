package policy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
)

// What docs/policy.md shows is true: its policies can be loaded, and the default policy places its keys as the table says.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("no policy is shown")
	}
	for _, block := range blocks {
		if _, mistakes := policy.Parse(block[1]); mistakes != nil {
			t.Errorf("a policy that is shown has mistakes: %v\n%s", mistakes, block[1])
		}
	}
	_, table, found := strings.Cut(string(text), "## The default policy")
	if !found {
		t.Fatal("the default policy is not described")
	}
	p := policy.Default()
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]*\\| (\\w+)[^|]*\\| ([^|]*?) \\| ?([^|]*?) ?\\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("%d keys are described, too few", len(rows))
	}
	for _, row := range rows {
		checkRow(t, p, row[1], row[2], row[3], row[4])
	}
}

func checkRow(t *testing.T, p *policy.Policy, key, category, tenant, subject string) {
	t.Helper()
	m := p.Match([]byte(key))
	if m.Category.Name != category || string(m.Subject) != subject && m.Source != policy.Conflict {
		t.Errorf("%s: got %s and subject %q, the table says %s and %q", key, m.Category.Name, m.Subject, category, subject)
	}
	switch {
	case strings.HasPrefix(tenant, "the credential's"):
		if m.Source != policy.FromCredential {
			t.Errorf("%s: the tenant comes from the %s", key, m.Source)
		}
	case strings.HasPrefix(tenant, "refused"):
		if m.Source != policy.Conflict {
			t.Errorf("%s: the tenant comes from the %s", key, m.Source)
		}
	case string(m.Tenant) != tenant:
		t.Errorf("%s: the tenant is %q, the table says %q", key, m.Tenant, tenant)
	}
}
