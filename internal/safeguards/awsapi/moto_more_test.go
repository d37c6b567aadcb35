package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// motoLacks is what moto 5.2 does not have of the calls that a whole scan makes (memorydb:DescribeUsers came after 5.2.1): the
// fake alone shows that these are read.
func motoLacks() []string {
	return []string{"DescribeServerlessCacheSnapshots", "DescribeServerlessCaches", "DescribeUserGroups", "memorydb:DescribeACLs", "memorydb:DescribeUsers"}
}

// A whole scan of moto finds the clusters, users and snapshots too, with the facts that the fake has of them; what moto lacks
// is told as a problem, and nothing else is.
func TestAWholeScanOfMoto(t *testing.T) {
	t.Parallel()
	fake := fakeaws.New(fakeaws.Options{Delay: time.Nanosecond})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	key, secret := fakeaws.Credentials()
	onMoto, lacking := scanned(t, startMoto(t), "testing", "testing", func(s *awsapi.Session) error {
		_, err := s.ElastiCache.CreateUser(t.Context(), &elasticache.CreateUserInput{
			UserId: aws.String("app"), UserName: aws.String("app"), Engine: aws.String("redis"), AccessString: aws.String("on ~app:* +@read"),
			Passwords: []string{"abcdefghijklmnopqrst"},
		})
		return err
	})
	onFake, refused := scanned(t, server.URL, key, secret, func(*awsapi.Session) error {
		fake.Region(fakeaws.Home, "us-east-1").AddUser("app", "on ~app:* +@read") // the fake makes no users by calls: Lethe does not either
		return nil
	})
	for _, call := range lacking {
		if !slices.Contains(motoLacks(), call) {
			t.Errorf("moto does not answer %s, which it has", call)
		}
	}
	if len(refused) > 0 {
		t.Errorf("the fake refuses %v", refused)
	}
	compared := 0
	for name, want := range onMoto {
		if strings.Contains(name, " default ") { // users that are there from the beginning
			continue
		}
		compared++
		if have := onFake[name]; have != want {
			t.Errorf("%s is %s on the fake, %s on moto", name, have, want)
		}
	}
	if compared < 20 {
		t.Errorf("only %d facts were compared", compared)
	}
}

// scanned makes a cluster, a user and a snapshot beside the groups, and gives the facts that a whole scan knows of all there is,
// and the calls that were not answered.
func scanned(t *testing.T, endpoint, key, secret string, makeUser func(*awsapi.Session) error) (facts map[string]string, lacking []string) {
	t.Helper()
	ctx := context.Background()
	c, err := awsapi.Connect(ctx, awsapi.Options{Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), Endpoint: endpoint, Rate: 100, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Session(ctx, awsapi.Target{Regions: []string{"us-east-1"}}, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	makeCaches(t, s)
	_, clusterErr := s.ElastiCache.CreateCacheCluster(ctx, &elasticache.CreateCacheClusterInput{
		CacheClusterId: aws.String("alone"), Engine: aws.String("redis"), CacheNodeType: aws.String("cache.r7g.large"), NumCacheNodes: aws.Int32(1),
		Tags: []ec.Tag{{Key: aws.String("owner"), Value: aws.String("team")}},
	})
	_, snapshotErr := s.ElastiCache.CreateSnapshot(ctx, &elasticache.CreateSnapshotInput{ReplicationGroupId: aws.String("good"), SnapshotName: aws.String("one")})
	if err := errors.Join(clusterErr, snapshotErr, makeUser(s)); err != nil {
		t.Fatal(err)
	}
	facts = map[string]string{}
	result, err := c.Scan(ctx, []awsapi.Target{{Regions: []string{"us-east-1"}}}, nil, func(it *awsapi.Item) error {
		for _, f := range []model.AnyFact{model.Engine, model.AuthRequired, model.Status, model.Users, model.TransitEncryption, model.Tags} {
			if r := it.Resource.Reading(f.Name()); r.State == model.Known {
				facts[fmt.Sprintf("%s %s %s", it.Resource.ID.Kind, it.Detail.ID, f.Name())] = fmt.Sprint(r.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		lacking = append(lacking, p.Call)
	}
	return facts, lacking
}
