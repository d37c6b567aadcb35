package awsapi_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

const region = "eu-central-1"

// connect reaches a fake without a network.
func connect(t *testing.T, f *fakeaws.Fake, change ...func(*awsapi.Options)) *awsapi.Connector {
	t.Helper()
	key, secret := fakeaws.Credentials()
	o := awsapi.Options{
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		HTTPClient:  &http.Client{Transport: f.Transport()}, Endpoint: "https://fake.invalid",
	}
	for _, c := range change {
		c(&o)
	}
	c, err := awsapi.Connect(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// home is a fake whose home region has a subnet group, which most caches want.
func home(o fakeaws.Options) (*fakeaws.Fake, *fakeaws.Region) {
	f := fakeaws.New(o)
	r := f.Region(fakeaws.Home, region)
	r.AddSubnetGroup("private", "vpc-1", "subnet-a", "subnet-b")
	return f, r
}

func homeTarget() awsapi.Target {
	return awsapi.Target{Account: fakeaws.Home, Regions: []string{region}}
}

// scan gives what a scan of the home region finds, by name.
func scan(t *testing.T, c *awsapi.Connector) (map[string]*awsapi.Item, awsapi.Result) {
	t.Helper()
	items := map[string]*awsapi.Item{}
	result, err := c.Scan(context.Background(), []awsapi.Target{homeTarget()}, nil, func(it *awsapi.Item) error {
		items[it.Resource.ID.Name] = it
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return items, result
}

func ago(d time.Duration) *time.Time {
	at := time.Now().Add(-d)
	return &at
}

func ptr[T any](v T) *T { return &v }

// value is a fact's value for people, or UNKNOWN and why.
func value[T any](f model.Fact[T], r *model.Resource) any {
	v := f.Of(r)
	if x, ok := v.Get(); ok {
		return x
	}
	return "UNKNOWN: " + v.Why
}
