package awspolicy_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/awspolicy"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
)

type document struct {
	Version   string
	Statement []struct {
		Sid, Effect      string
		Action, Resource any
		Condition        map[string]any
	}
}

func parse(t *testing.T, src string) document {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(src))
	d.DisallowUnknownFields()
	var doc document
	if err := d.Decode(&doc); err != nil || doc.Version != "2012-10-17" {
		t.Fatalf("version %q: %v", doc.Version, err)
	}
	return doc
}

// allowed are the actions that a policy allows.
func (d *document) allowed() (out []string) {
	for _, s := range d.Statement {
		if s.Effect != "Allow" {
			continue
		}
		switch a := s.Action.(type) {
		case string:
			out = append(out, a)
		case []any:
			for _, x := range a {
				out = append(out, x.(string))
			}
		}
	}
	return out
}

// A scan makes the calls of its policy, all of them and no others. DescribeEvents is watch's, which polls.
func TestScanPolicyIsWhatAScanCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := fakeaws.New(fakeaws.Options{})
		r := f.Region(fakeaws.Home, "eu-central-1")
		r.AddSubnetGroup("private", "vpc-1", "subnet-a")
		r.AddGroup("cache")
		r.AddCluster("alone", func(c *ec.CacheCluster) { c.Engine = new("memcached") })
		r.AddServerless("less")
		r.AddMemory("durable")
		r.AddMemoryACL("app", "on ~* +@read")
		r.AddUser("app", "on ~* +@read")
		r.AddUserGroup("app", "app")
		r.AddSnapshot("one", "cache", time.Now())
		r.AddTrail("all", true)
		key, secret := fakeaws.Credentials()
		c, err := awsapi.Connect(context.Background(), awsapi.Options{
			Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
			HTTPClient:  &http.Client{Transport: f.Transport()}, Endpoint: "https://fake.invalid",
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Scan(context.Background(), []awsapi.Target{{Regions: []string{"eu-central-1"}}}, nil, func(*awsapi.Item) error { return nil }); err != nil {
			t.Fatal(err)
		}
		doc := parse(t, awspolicy.Scan())
		allowed := doc.allowed()
		called := []string{"elasticache:DescribeEvents"}
		for _, call := range f.Calls() {
			called = append(called, call.Service+":"+call.Action)
		}
		for _, a := range called {
			if a != "sts:GetCallerIdentity" && !slices.Contains(allowed, a) { // which needs no right
				t.Errorf("a scan calls %s, which its policy does not allow", a)
			}
		}
		for _, a := range allowed {
			if !slices.Contains(called, a) {
				t.Errorf("the policy allows %s, which no scan calls", a)
			}
		}
	})
}

// The policy for scanning changes nothing, and what the one for remediation can take away is denied for what is excluded.
func TestWhatThePoliciesDoNotAllow(t *testing.T) {
	t.Parallel()
	scan, remediate := parse(t, awspolicy.Scan()), parse(t, awspolicy.Remediate())
	for _, a := range scan.allowed() {
		_, verb, _ := strings.Cut(a, ":")
		if !strings.HasPrefix(verb, "Describe") && !strings.HasPrefix(verb, "List") && !strings.HasPrefix(verb, "Get") {
			t.Errorf("scanning allows %s", a)
		}
	}
	var denied []string
	for _, s := range remediate.Statement {
		if s.Effect == "Deny" {
			for _, x := range s.Action.([]any) {
				denied = append(denied, x.(string))
			}
		}
	}
	for _, a := range remediate.allowed() {
		service, verb, _ := strings.Cut(a, ":")
		takes := strings.HasPrefix(verb, "Modify") || strings.HasPrefix(verb, "Delete") || strings.HasPrefix(verb, "Update") || strings.HasPrefix(verb, "Batch")
		if (service == "elasticache" || service == "memorydb") && takes && !slices.Contains(denied, a) {
			t.Errorf("remediation may %s what is excluded", a)
		}
		if strings.Contains(a, "*") {
			t.Errorf("remediation allows %s", a)
		}
	}
}
