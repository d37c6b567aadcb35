package awsapi_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// What AWS says of a group, fact by fact, for groups that are spoilt in one way each.
func TestFactsOfGroups(t *testing.T) {
	t.Parallel()
	f := func(spoil func(*ec.ReplicationGroup), read func(*model.Resource) any, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			fake, r := home(fakeaws.Options{})
			r.AddGroup("cache", spoil)
			items, _ := scan(t, connect(t, fake))
			it := items[r.GroupARN("cache")]
			if it == nil {
				t.Fatal("the group was not found")
			}
			if have := fmt.Sprint(read(it.Resource)); have != want {
				t.Errorf("have %s, want %s", have, want)
			}
		})
	}
	as := func(g *ec.ReplicationGroup) {}
	f(as, func(r *model.Resource) any { return value(model.Engine, r) }, "redis")
	f(as, func(r *model.Resource) any { return value(model.EngineVersion, r) }, "7.1.0")
	f(as, func(r *model.Resource) any { return value(model.StorageEncryption, r) }, "sse-kms")
	f(as, func(r *model.Resource) any { return value(model.KMSKeyState, r) }, "Enabled")
	f(as, func(r *model.Resource) any { return value(model.KMSKeyRotation, r) }, "true")
	f(as, func(r *model.Resource) any { return value(model.TransitMode, r) }, "required")
	f(as, func(r *model.Resource) any { return value(model.AuthRequired, r) }, "true")
	f(as, func(r *model.Resource) any { return value(model.PublicSubnets, r) }, "[]")
	f(as, func(r *model.Resource) any { return value(model.DefaultVPC, r) }, "false")
	f(as, func(r *model.Resource) any { return value(model.SubnetGroup, r) }, "private")
	f(as, func(r *model.Resource) any { return value(model.IngressRules, r) }, "[sg-app to ports 6379-6379 (tcp, sg-cache)]")
	f(as, func(r *model.Resource) any { return value(model.Replicas, r) }, "1")
	f(as, func(r *model.Resource) any { return value(model.ReplicasElsewhere, r) }, "true")
	f(as, func(r *model.Resource) any { return value(model.EvictionPolicy, r) }, "volatile-lru")
	f(as, func(r *model.Resource) any { return value(model.IdleTimeout, r) }, "0")
	f(as, func(r *model.Resource) any { return value(model.Tags, r) }, "map[]")
	f(as, func(r *model.Resource) any { return value(model.GlobalMember, r) }, "false")
	f(as, func(r *model.Resource) any { return value(model.EngineLogDelivered, r) }, "true")
	f(as, func(r *model.Resource) any { v, _ := model.NewestSnapshotAt.Of(r).Get(); return v.IsZero() }, "true")

	f(func(g *ec.ReplicationGroup) { g.AtRestEncryptionEnabled, g.StorageEncryptionType = ptr(false), "" },
		func(r *model.Resource) any { return value(model.AtRestEncryption, r) }, "false")
	f(func(g *ec.ReplicationGroup) { g.StorageEncryptionType = "" },
		func(r *model.Resource) any { return value(model.StorageEncryption, r) }, "UNKNOWN: AWS left it out of its answer")
	f(func(g *ec.ReplicationGroup) { g.TransitEncryptionMode = "" },
		func(r *model.Resource) any { return value(model.TransitMode, r) }, "UNKNOWN: AWS left it out of its answer")
	f(func(g *ec.ReplicationGroup) { g.TransitEncryptionMode = ec.TransitEncryptionModePreferred },
		func(r *model.Resource) any { return value(model.TransitMode, r) }, "preferred")
	f(func(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(false) },
		func(r *model.Resource) any { return value(model.AuthRequired, r) }, "false")
	f(func(g *ec.ReplicationGroup) { g.AuthTokenEnabled, g.UserGroupIds = ptr(false), []string{"app"} },
		func(r *model.Resource) any { return value(model.AuthRequired, r) }, "true")
	f(func(g *ec.ReplicationGroup) {
		g.LogDeliveryConfigurations[1].Status = ec.LogDeliveryConfigurationStatusError
	},
		func(r *model.Resource) any { return value(model.EngineLogDelivered, r) }, "false")
	f(func(g *ec.ReplicationGroup) { g.KmsKeyId = nil },
		func(r *model.Resource) any { return value(model.KMSKey, r) }, "")
	f(func(g *ec.ReplicationGroup) { g.KmsKeyId = ptr("arn:aws:kms:eu-central-1:1:key/gone") },
		func(r *model.Resource) any { return value(model.KMSKeyState, r) }, "UNKNOWN: DescribeKey ended with NotFoundException")
	f(func(g *ec.ReplicationGroup) {
		g.GlobalReplicationGroupInfo = &ec.GlobalReplicationGroupInfo{GlobalReplicationGroupId: ptr("global")}
	}, func(r *model.Resource) any { return value(model.GlobalMember, r) }, "true")
}

// What cannot be read is unknown with its reason, what depends on it too, and the rest is there.
func TestWhatIsDeniedIsUnknown(t *testing.T) {
	t.Parallel()
	f := func(action string, fact model.AnyFact, want string, changeable bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			fake, r := home(fakeaws.Options{Fault: func(c fakeaws.Call) *fakeaws.Fault {
				if c.Action == action {
					return &fakeaws.Fault{Error: fakeaws.Denied()}
				}
				return nil
			}})
			r.AddGroup("cache")
			items, _ := scan(t, connect(t, fake))
			it := items[r.GroupARN("cache")]
			if it == nil {
				t.Fatalf("without %s there is no group", action)
			}
			got := it.Resource.Reading(fact.Name())
			if got.State != model.Unknown || got.Why != want {
				t.Errorf("without %s, %s is %v (%s), want unknown (%s)", action, fact.Name(), got.State, got.Why, want)
			}
			if known := it.Detail.Config != nil; known != changeable {
				t.Errorf("without %s the configuration's hash is known: %t, want %t", action, known, changeable)
			}
		})
	}
	denied := func(call string) string { return call + " ended with AccessDenied" }
	f("ListTagsForResource", model.Tags, denied("ListTagsForResource"), false)
	f("DescribeCacheClusters", model.EngineVersion, denied("DescribeCacheClusters"), false)
	f("DescribeCacheClusters", model.PublicSubnets, denied("DescribeCacheClusters"), false)
	f("DescribeSecurityGroups", model.IngressRules, denied("DescribeSecurityGroups"), false)
	f("DescribeRouteTables", model.PublicSubnets, denied("DescribeRouteTables"), true)
	f("DescribeVpcs", model.DefaultVPC, denied("DescribeVpcs"), true)
	f("DescribeCacheSubnetGroups", model.DefaultVPC, denied("DescribeCacheSubnetGroups"), true)
	f("DescribeUpdateActions", model.ServiceUpdates, denied("DescribeUpdateActions"), true)
	f("DescribeSnapshots", model.NewestSnapshotAt, denied("DescribeSnapshots"), true)
	f("DescribeCacheParameters", model.EvictionPolicy, denied("DescribeCacheParameters"), true)
	f("DescribeKey", model.KMSKeyState, denied("DescribeKey"), true)
	f("GetKeyRotationStatus", model.KMSKeyRotation, denied("GetKeyRotationStatus"), true)
}

// A group of whose members one is not listed has neither version nor network, instead of those of the others.
func TestAMissingMemberMakesUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, r := home(fakeaws.Options{})
		r.AddGroup("cache")
		r.ChangeGroup("cache", func(g *ec.ReplicationGroup) { g.MemberClusters = append(g.MemberClusters, "cache-003") })
		items, _ := scan(t, connect(t, fake))
		it := items[r.GroupARN("cache")]
		if v := value(model.EngineVersion, it.Resource); v != "UNKNOWN: DescribeCacheClusters ended with missing-members" {
			t.Errorf("the version is %v", v)
		}
		if it.Detail.Config != nil {
			t.Error("the configuration has a hash without all members")
		}
	})
}

// All other kinds are found, and say what they are.
func TestOtherKinds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, r := home(fakeaws.Options{})
		r.AddCluster("alone", func(c *ec.CacheCluster) { c.Engine, c.EngineVersion = ptr("memcached"), ptr("1.6.22") })
		r.AddServerless("less", func(s *ec.ServerlessCache) { s.UserGroupId = nil })
		r.AddMemory("durable", func(c *mdb.Cluster) { c.TLSEnabled, c.ACLName = ptr(false), ptr("open-access") })
		r.AddMemoryACL("app", "on ~* +@all")
		r.AddGroup("plain", func(g *ec.ReplicationGroup) {
			g.AtRestEncryptionEnabled, g.StorageEncryptionType, g.KmsKeyId = ptr(false), ec.StorageEncryptionTypeNone, nil
		})
		r.AddSnapshot("own-key", "plain", *ago(time.Hour))
		r.AddSnapshot("as-parent", "plain", *ago(2 * time.Hour), func(s *ec.Snapshot) { s.KmsKeyId = nil })
		r.AddSnapshot("orphan", "gone", *ago(2 * time.Hour), func(s *ec.Snapshot) { s.KmsKeyId = nil })
		r.AddUser("app", "on ~app:* +@all -@dangerous")
		r.AddUser("admin", "on ~* &* +@all", func(u *ec.User) { u.Authentication.Type = ec.AuthenticationTypeNoPassword })
		r.AddUserGroup("app", "app", "admin")
		r.AddTrail("all", true)
		items, result := scan(t, connect(t, fake))
		if len(result.Problems) > 0 {
			t.Fatalf("problems: %v", result.Problems)
		}
		by := map[string]*awsapi.Item{}
		for _, it := range items {
			by[string(it.Resource.ID.Kind)+" "+it.Detail.ID] = it
		}
		f := func(name string, read func(*model.Resource) any, want string) {
			t.Helper()
			it := by[name]
			if it == nil {
				t.Errorf("there is no %s", name)
				return
			}
			if have := fmt.Sprint(read(it.Resource)); have != want {
				t.Errorf("%s: have %s, want %s", name, have, want)
			}
		}
		users := func(r *model.Resource) any { return value(model.Users, r) }
		f("cache_cluster alone", func(r *model.Resource) any { return value(model.Engine, r) }, "memcached")
		f("serverless_cache less", func(r *model.Resource) any { return value(model.AuthRequired, r) }, "false")
		f("serverless_cache less", func(r *model.Resource) any { return value(model.DefaultVPC, r) }, "false")
		f("memorydb_cluster durable", func(r *model.Resource) any { return value(model.TransitEncryption, r) }, "false")
		f("memorydb_cluster durable", func(r *model.Resource) any { return value(model.AuthRequired, r) }, "false")
		f("memorydb_cluster durable", func(r *model.Resource) any { return value(model.EngineVersion, r) }, "7.3.0")
		f("memorydb_user app", users, "[app (on, may run CLIENT KILL EVAL EVALSHA FCALL FLUSHALL FLUSHDB FUNCTION FLUSH KEYS MONITOR SCRIPT FLUSH SORT SWAPDB)]")
		f("memorydb_acl app", func(r *model.Resource) any { v, _ := model.Users.Of(r).Get(); return len(v) }, "1")
		f("snapshot own-key", func(r *model.Resource) any { return value(model.SnapshotEncrypted, r) }, "true")
		f("snapshot as-parent", func(r *model.Resource) any { return value(model.SnapshotEncrypted, r) }, "false")
		f("snapshot orphan", func(r *model.Resource) any {
			return strings.HasPrefix(fmt.Sprint(value(model.SnapshotEncrypted, r)), "UNKNOWN")
		}, "true")
		f("replication_group plain", func(r *model.Resource) any {
			v, _ := model.NewestSnapshotAt.Of(r).Get()
			return time.Since(v).Round(time.Hour)
		}, "1h0m0s")
		f("user app", users, "[app (on, may run EVAL EVALSHA FCALL FUNCTION FLUSH SCRIPT FLUSH)]")
		f("user admin", func(r *model.Resource) any { v, _ := model.Users.Of(r).Get(); return v[0].NoPassword }, "true")
		f("user_group app", func(r *model.Resource) any { v, _ := model.Users.Of(r).Get(); return len(v) }, "2")
		f("account 111111111111", func(r *model.Resource) any { return value(model.TrailActive, r) }, "true")
	})
}
