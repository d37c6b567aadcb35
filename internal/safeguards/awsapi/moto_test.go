package awsapi_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// motoPython finds a Python that has moto: LETHE_MOTO_PYTHON, or the one on the path.
func motoPython(t *testing.T) string {
	t.Helper()
	for _, python := range []string{os.Getenv("LETHE_MOTO_PYTHON"), "python3"} {
		if python != "" && exec.Command(python, "-c", "import moto.server, flask").Run() == nil {
			return python
		}
	}
	t.Skip("there is no moto: make a venv, `pip install 'moto[server]'`, and set LETHE_MOTO_PYTHON to its python")
	return ""
}

// startMoto runs moto's server on a free port and gives its URL.
func startMoto(t *testing.T) string {
	t.Helper()
	python := motoPython(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	started := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.Contains(lines.Text(), "Running on") {
				select {
				case started <- true:
				default:
				}
			}
		}
	}()
	select {
	case <-started:
	case <-time.After(time.Minute):
		t.Fatal("moto does not start")
	}
	return "http://" + address
}

// The same client makes the same caches on moto and on the fake, and reads the same facts of them: a check on the fake.
// What moto does not have (serverless caches, service updates, users' groups) is unknown or a problem there, never a value.
func TestTheFakeIsLikeMoto(t *testing.T) {
	t.Parallel()
	fake := fakeaws.New(fakeaws.Options{Delay: time.Nanosecond})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	key, secret := fakeaws.Credentials()
	onMoto := factsOn(t, startMoto(t), "testing", "testing")
	onFake := factsOn(t, server.URL, key, secret)
	if len(onMoto) != len(onFake) || len(onFake) == 0 {
		t.Errorf("on moto there are %d caches, on the fake %d", len(onMoto), len(onFake))
	}
	for name, want := range onMoto {
		for fact, value := range want {
			if have := onFake[name][fact]; have != value {
				t.Errorf("%s: %s is %s on the fake, %s on moto", name, fact, have, value)
			}
		}
	}
}

// factsOn makes caches and gives the facts that are known of them.
func factsOn(t *testing.T, endpoint, key, secret string) map[string]map[string]string {
	t.Helper()
	ctx := context.Background()
	c, err := awsapi.Connect(ctx, awsapi.Options{
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), Endpoint: endpoint, Rate: 100, Attempts: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Session(ctx, awsapi.Target{Regions: []string{"us-east-1"}}, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	makeCaches(t, s)
	out := map[string]map[string]string{}
	_, err = c.ScanCaches(ctx, []awsapi.Target{{Regions: []string{"us-east-1"}}}, func(it *awsapi.Item) error {
		facts := map[string]string{}
		for _, f := range []model.AnyFact{
			model.Engine, model.AtRestEncryption, model.TransitEncryption, model.AuthRequired, model.SnapshotRetention, model.Status,
		} {
			if r := it.Resource.Reading(f.Name()); r.State == model.Known {
				facts[f.Name()] = fmt.Sprint(r.Value)
			}
		}
		out[string(it.Resource.ID.Kind)+" "+it.Detail.ID] = facts
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func makeCaches(t *testing.T, s *awsapi.Session) {
	t.Helper()
	ctx := context.Background()
	_, err := s.ElastiCache.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("good"), ReplicationGroupDescription: aws.String("good"), Engine: aws.String("redis"),
		CacheNodeType: aws.String("cache.r7g.large"), AtRestEncryptionEnabled: aws.Bool(true), TransitEncryptionEnabled: aws.Bool(true),
		AuthToken: aws.String("abcdefghijklmnopqrst"), SnapshotRetentionLimit: aws.Int32(7), NumCacheClusters: aws.Int32(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ElastiCache.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("bad"), ReplicationGroupDescription: aws.String("bad"), Engine: aws.String("redis"),
		CacheNodeType: aws.String("cache.r7g.large"), AtRestEncryptionEnabled: aws.Bool(false), TransitEncryptionEnabled: aws.Bool(false),
		SnapshotRetentionLimit: aws.Int32(0), NumCacheClusters: aws.Int32(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	var missing *ec.ReplicationGroupNotFoundFault
	_, err = s.ElastiCache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String("none")})
	if !errors.As(err, &missing) {
		t.Errorf("a group that is not there: %v", err)
	}
	_, err = s.ElastiCache.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("good"), ReplicationGroupDescription: aws.String("again"), Engine: aws.String("redis"), CacheNodeType: aws.String("cache.r7g.large"),
	})
	var exists *ec.ReplicationGroupAlreadyExistsFault
	if !errors.As(err, &exists) {
		t.Errorf("a group that is there: %v", err)
	}
}

// The requests of the fake's service models have the members that the SDK's have.
func TestTheFakesModelsAreTheSDKs(t *testing.T) {
	t.Parallel()
	f := func(service string, inputs ...any) {
		t.Helper()
		have := fakeaws.Operations(service)
		for _, input := range inputs {
			shape := reflect.TypeOf(input)
			var want []string
			for i := range shape.NumField() {
				if f := shape.Field(i); f.IsExported() {
					want = append(want, f.Name)
				}
			}
			op := strings.TrimSuffix(shape.Name(), "Input")
			var names []string
			for _, m := range have[op] {
				names = append(names, m.Name)
			}
			slices.Sort(want)
			slices.Sort(names)
			if !slices.Equal(names, want) {
				t.Errorf("%s.%s: the fake has %v, the SDK %v", service, op, names, want)
			}
			delete(have, op)
		}
		if len(have) > 0 {
			t.Errorf("%s: not compared: %v", service, slices.Sorted(maps.Keys(have)))
		}
	}
	f("elasticache",
		elasticache.DescribeReplicationGroupsInput{}, elasticache.DescribeCacheClustersInput{}, elasticache.DescribeServerlessCachesInput{},
		elasticache.DescribeSnapshotsInput{}, elasticache.DescribeServerlessCacheSnapshotsInput{}, elasticache.DescribeUsersInput{},
		elasticache.DescribeUserGroupsInput{}, elasticache.DescribeCacheParametersInput{}, elasticache.DescribeCacheSubnetGroupsInput{},
		elasticache.DescribeUpdateActionsInput{}, elasticache.DescribeEventsInput{}, elasticache.ListTagsForResourceInput{},
		elasticache.CreateReplicationGroupInput{}, elasticache.CreateCacheClusterInput{}, elasticache.CreateCacheSubnetGroupInput{},
		elasticache.CreateSnapshotInput{}, elasticache.CreateServerlessCacheSnapshotInput{}, elasticache.ModifyReplicationGroupInput{},
		elasticache.ModifyCacheClusterInput{}, elasticache.ModifyServerlessCacheInput{}, elasticache.DeleteReplicationGroupInput{},
		elasticache.DeleteCacheClusterInput{}, elasticache.DeleteServerlessCacheInput{}, elasticache.BatchApplyUpdateActionInput{})
	f("memorydb",
		memorydb.DescribeClustersInput{}, memorydb.DescribeSnapshotsInput{}, memorydb.DescribeUsersInput{}, memorydb.DescribeACLsInput{},
		memorydb.DescribeSubnetGroupsInput{}, memorydb.DescribeParametersInput{}, memorydb.ListTagsInput{}, memorydb.CreateSnapshotInput{},
		memorydb.UpdateClusterInput{}, memorydb.DeleteClusterInput{})
}

// What of the fake's service models the SDK's types do not tell is what AWS's published ones say (botocore has them): what is
// required, the names of lists' elements, enumerations.
func TestTheFakesModelsAreAWSs(t *testing.T) {
	t.Parallel()
	python := motoPython(t)
	out, err := exec.Command(python, "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))").Output()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(strings.TrimSpace(string(out)), "data")
	for _, service := range []string{"elasticache", "memorydb", "sts", "sqs", "kms", "cloudtrail"} {
		published := readModel(t, data, service)
		operations := 0
		for op, members := range fakeaws.Operations(service) {
			operations++
			o, ok := published.Operations[op]
			if !ok {
				t.Errorf("%s has no %s", service, op)
				continue
			}
			compareMembers(t, service+"."+op, members, published.Shapes[o.Input.Shape], published)
		}
		if operations == 0 {
			t.Errorf("the fake has no operations of %s", service)
		}
	}
}

type publishedModel struct {
	Operations map[string]struct{ Input struct{ Shape string } }
	Shapes     map[string]publishedShape
}

type publishedShape struct {
	Type     string
	Required []string
	Enum     []string
	Members  map[string]struct{ Shape string }
	Member   struct{ Shape, LocationName string }
}

func readModel(t *testing.T, data, service string) *publishedModel {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(data, service, "*", "service-2.json.gz"))
	if len(files) == 0 {
		t.Fatalf("botocore has no model of %s", service)
	}
	slices.Sort(files)
	f, err := os.Open(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var m publishedModel
	if err := json.NewDecoder(z).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func compareMembers(t *testing.T, at string, have []fakeaws.Member, want publishedShape, m *publishedModel) {
	t.Helper()
	for _, h := range have {
		w, ok := want.Members[h.Name]
		if !ok {
			continue // this botocore is older; that the names are AWS's is TestTheFakesModelsAreTheSDKs
		}
		if required := slices.Contains(want.Required, h.Name); required != h.Required {
			t.Errorf("%s: %s is required by AWS: %t", at, h.Name, required)
		}
		shape := m.Shapes[w.Shape]
		if shape.Type == "list" && h.List != "" {
			element := shape.Member.LocationName
			if element == "" {
				element = "member"
			}
			if h.List != element {
				t.Errorf("%s: elements of %s are %s, at AWS %s", at, h.Name, h.List, element)
			}
			shape = m.Shapes[shape.Member.Shape]
		}
		for _, e := range shape.Enum {
			if h.Enum != nil && !slices.Contains(h.Enum, e) {
				t.Errorf("%s: the fake does not take %s for %s", at, e, h.Name)
			}
		}
	}
}
