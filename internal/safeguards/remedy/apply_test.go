package remedy_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// Ways to spoil a group.
func plainTransit(g *ec.ReplicationGroup) {
	g.TransitEncryptionEnabled, g.TransitEncryptionMode, g.AuthTokenEnabled = ptr(false), "", ptr(false)
	g.UserGroupIds = []string{"app"}
}
func preferred(g *ec.ReplicationGroup) { g.TransitEncryptionMode = ec.TransitEncryptionModePreferred }
func plainRest(g *ec.ReplicationGroup) {
	g.AtRestEncryptionEnabled, g.StorageEncryptionType, g.KmsKeyId = ptr(false), ec.StorageEncryptionTypeNone, nil
}
func noBackups(g *ec.ReplicationGroup)  { g.SnapshotRetentionLimit = ptr[int32](0) }
func noUpgrades(g *ec.ReplicationGroup) { g.AutoMinorVersionUpgrade = ptr(false) }
func noLogs(g *ec.ReplicationGroup)     { g.LogDeliveryConfigurations = nil }
func oldToken(g *ec.ReplicationGroup) {
	g.AuthTokenLastModifiedDate = ptr(time.Now().Add(-200 * 24 * time.Hour))
}
func unguarded(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(false) }

// Each action does what its rule wants, with an intention before it and the end after it in the audit chain.
func TestActions(t *testing.T) {
	t.Parallel()
	f := func(spoil func(*ec.ReplicationGroup), s remedy.Settings, want remedy.Action, check func(*lab) bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, s)
			l.home.AddGroup("cache", spoil)
			p := l.plan()
			if len(p.Entries) != 1 || p.Entries[0].Action != want {
				t.Fatalf("planned %+v, skipped %+v, want %s", p.Entries, p.Skipped, want)
			}
			out := l.apply(p)
			if out.Result != remedy.Applied || !check(l) {
				t.Errorf("%s ended with %v %s %v; calls %v", want, out.Result, out.Why, out.Err, l.written())
			}
			stages := l.stages()
			if len(stages) < 2 || !strings.HasSuffix(stages[0], "intended") || !strings.HasSuffix(stages[len(stages)-1], "done") {
				t.Errorf("%s recorded %v", want, stages)
			}
		})
	}
	group := func(l *lab) *ec.ReplicationGroup { return l.home.Group("cache") }
	f(plainTransit, remedy.Settings{}, remedy.Modify, func(l *lab) bool {
		return *group(l).TransitEncryptionEnabled && group(l).TransitEncryptionMode == "preferred"
	})
	f(preferred, remedy.Settings{}, remedy.Modify, func(l *lab) bool { return group(l).TransitEncryptionMode == "required" })
	f(noBackups, remedy.Settings{SnapshotDays: 20}, remedy.Modify, func(l *lab) bool { return *group(l).SnapshotRetentionLimit == 20 })
	f(noUpgrades, remedy.Settings{}, remedy.Modify, func(l *lab) bool { return *group(l).AutoMinorVersionUpgrade })
	f(noLogs, remedy.Settings{LogGroup: "/caches"}, remedy.Modify, func(l *lab) bool { return len(group(l).LogDeliveryConfigurations) == 2 })
	f(unguarded, remedy.Settings{}, remedy.Quarantine, func(l *lab) bool {
		sg := l.home.Cluster("cache-001").SecurityGroups
		g := l.home.SecurityGroups()[*sg[0].SecurityGroupId]
		return len(sg) == 1 && g.Name == "lethe-quarantine" && len(g.Ingress)+len(g.Egress) == 0
	})
	f(unguarded, remedy.Settings{Actions: map[string]remedy.Action{"AUTH-01": remedy.SnapshotDelete}}, remedy.SnapshotDelete, func(l *lab) bool {
		kept := 0
		for name, status := range l.home.Snapshots() {
			if strings.HasPrefix(name, "lethe-cache-") && status == "available" {
				kept++
			}
		}
		return group(l) == nil && kept == 1
	})
	f(plainRest, remedy.Settings{}, remedy.EncryptedCopy, func(l *lab) bool {
		if group(l) == nil {
			return false
		}
		made := 0
		for _, c := range l.fake.Calls() {
			if c.Action == "CreateReplicationGroup" {
				g := l.home.Group(c.Resource)
				if *g.AtRestEncryptionEnabled && g.TransitEncryptionMode == "required" && *g.AuthTokenEnabled {
					made++
				}
			}
		}
		return made == 1
	})
	young := func(g *ec.ReplicationGroup) {
		unguarded(g)
		g.ReplicationGroupCreateTime = ptr(time.Now().Add(-10 * time.Minute))
	}
	f(young, remedy.Settings{CreationWindow: time.Hour, Actions: map[string]remedy.Action{"AUTH-01": remedy.DeleteNew}}, remedy.DeleteNew,
		func(l *lab) bool { return group(l) == nil && len(l.home.Snapshots()) == 0 })
}

// Other kinds of caches have calls of their own.
func TestActionsOnOtherKinds(t *testing.T) {
	t.Parallel()
	f := func(add func(*lab), s remedy.Settings, want remedy.Action, check func(*lab) bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, s)
			add(l)
			p := l.plan()
			if len(p.Entries) != 1 || p.Entries[0].Action != want {
				t.Fatalf("planned %+v, skipped %+v, want %s", p.Entries, p.Skipped, want)
			}
			if out := l.apply(p); out.Result != remedy.Applied || !check(l) {
				t.Errorf("%s ended with %v %s %v", want, out.Result, out.Why, out.Err)
			}
		})
	}
	del := remedy.Settings{Actions: map[string]remedy.Action{"AUTH-01": remedy.SnapshotDelete}}
	less := func(change func(*ec.ServerlessCache)) func(*lab) {
		return func(l *lab) { l.home.AddServerless("less", change) }
	}
	f(less(func(s *ec.ServerlessCache) { s.SnapshotRetentionLimit = ptr[int32](0) }), remedy.Settings{}, remedy.Modify,
		func(l *lab) bool { return *l.home.Serverless("less").SnapshotRetentionLimit == 15 })
	f(less(func(s *ec.ServerlessCache) { s.UserGroupId = nil }), remedy.Settings{}, remedy.Quarantine,
		func(l *lab) bool { return l.home.Serverless("less").SecurityGroupIds[0] == "sg-made-1" })
	f(less(func(s *ec.ServerlessCache) { s.UserGroupId = nil }), del, remedy.SnapshotDelete,
		func(l *lab) bool { return l.home.Serverless("less") == nil })
	durable := func(change func(*mdb.Cluster)) func(*lab) {
		return func(l *lab) { l.home.AddMemory("durable", change) }
	}
	f(durable(func(c *mdb.Cluster) { c.SnapshotRetentionLimit = ptr[int32](0) }), remedy.Settings{}, remedy.Modify,
		func(l *lab) bool { return *l.home.Memory("durable").SnapshotRetentionLimit == 15 })
	f(durable(func(c *mdb.Cluster) { c.ACLName = ptr("open-access") }), remedy.Settings{}, remedy.Quarantine,
		func(l *lab) bool { return *l.home.Memory("durable").SecurityGroups[0].SecurityGroupId == "sg-made-1" })
	f(durable(func(c *mdb.Cluster) { c.ACLName = ptr("open-access") }), del, remedy.SnapshotDelete,
		func(l *lab) bool { return l.home.Memory("durable") == nil })
	f(func(l *lab) {
		l.home.AddCluster("old", func(c *ec.CacheCluster) { c.Engine, c.EngineVersion = ptr("memcached"), ptr("1.6.22") })
	}, remedy.Settings{}, remedy.Quarantine, func(l *lab) bool { return *l.home.Cluster("old").SecurityGroups[0].SecurityGroupId == "sg-made-1" })
}

// A rotation adds a token, leaves both for the overlap, and then takes the old one away. No token is in any record.
func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache", oldToken)
		p := l.plan()
		out := l.apply(p)
		if out.Result != remedy.Waits || len(l.home.Tokens("cache")) != 2 {
			t.Fatalf("after ROTATE: %v %s %v, %d tokens", out.Result, out.Why, out.Err, len(l.home.Tokens("cache")))
		}
		if out := l.apply(p); out.Result != remedy.Waits {
			t.Fatalf("an hour too early: %v", out.Result)
		}
		<-time.After(24 * time.Hour)
		out = l.apply(p)
		have := l.home.Tokens("cache")
		kept := string(l.tokens[p.Entries[0].ID])
		if out.Result != remedy.Applied || len(have) != 1 || have[0] != kept {
			t.Fatalf("after SET: %v %s %v", out.Result, out.Why, out.Err)
		}
		for _, e := range l.events {
			if strings.Contains(e.Why+e.Step, kept) {
				t.Error("a record has the token")
			}
		}
	})
}

// What must not be touched is not, for its reason, and the refusal is recorded.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := func(meanwhile func(*lab), want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, remedy.Settings{Actions: map[string]remedy.Action{"AUTH-01": remedy.SnapshotDelete}})
			l.home.AddGroup("cache", unguarded)
			p := l.plan()
			meanwhile(l)
			l.fake.Forget()
			out := l.apply(p)
			if out.Result != remedy.EntryRefused || !strings.HasPrefix(out.Why, want) {
				t.Errorf("have %v %q %v, want refused %q", out.Result, out.Why, out.Err, want)
			}
			if w := l.written(); len(w) > 0 {
				t.Errorf("%s: calls %v", want, w)
			}
			if len(l.events) != 1 || l.events[0].Stage != remedy.Refused {
				t.Errorf("%s: recorded %v", want, l.stages())
			}
		})
	}
	change := func(c func(*ec.ReplicationGroup)) func(*lab) { return func(l *lab) { l.home.ChangeGroup("cache", c) } }
	tag := func(tags map[string]string) func(*lab) {
		return func(l *lab) { l.home.Tag(l.home.GroupARN("cache"), tags) }
	}
	denied := func(action string) func(*lab) {
		return func(l *lab) {
			l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
				if c.Action == action {
					return &fakeaws.Fault{Error: fakeaws.Denied()}
				}
				return nil
			})
		}
	}
	f(change(func(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(true) }), "changed:AuthTokenEnabled")
	f(change(func(g *ec.ReplicationGroup) { g.Description = ptr("another") }), "changed:Description")
	f(change(func(g *ec.ReplicationGroup) { g.ReplicationGroupCreateTime = ptr(time.Now()) }), "changed:ReplicationGroupCreateTime")
	f(change(func(g *ec.ReplicationGroup) { g.Status = ptr("modifying") }), "not-available")
	f(change(func(g *ec.ReplicationGroup) { g.MemberClusters = g.MemberClusters[:1] }), "changed:MemberClusters")
	f(change(func(g *ec.ReplicationGroup) {
		g.GlobalReplicationGroupInfo = &ec.GlobalReplicationGroupInfo{GlobalReplicationGroupId: ptr("global")}
	}), "changed:GlobalReplicationGroupInfo")
	f(func(l *lab) {
		l.home.ChangeCluster("cache-001", func(c *ec.CacheCluster) { c.SecurityGroups = c.SecurityGroups[:0] })
	}, "changed:SecurityGroups of cache-001")
	f(tag(map[string]string{"owner": "x"}), "changed:Tags")
	f(denied("ListTagsForResource"), "unknown-config")
	f(denied("DescribeCacheClusters"), "unknown-config")
	f(denied("DescribeSecurityGroups"), "unknown-config")
	f(denied("DescribeReplicationGroups"), "unreadable:AccessDenied")
	f(func(l *lab) { l.killed = errors.New("on") }, "kill-switch")
	f(func(l *lab) {
		var err error
		l.excluded, err = remedy.ReadExclusions([]byte("exclusions:\n  - {resource: '" + l.home.GroupARN("cache") +
			"', owner: a, reason: b, ticket: c, expires: 2999-01-01, no_phi: true}\n"))
		if err != nil {
			t.Fatal(err)
		}
	}, "excluded")
}

// Without a record of the intention nothing is done.
func TestNothingWithoutRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache", noBackups)
		p := l.plan()
		l.recordErr = errors.New("the audit log cannot be written")
		if out := l.apply(p); out.Result != remedy.EntryFailed || len(l.written()) > 0 {
			t.Errorf("%v, calls %v", out.Result, l.written())
		}
	})
}

// A dry run reads and refuses as the real one does, and changes and records nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache", unguarded)
		p := l.plan()
		a := l.applier()
		a.DryRun = true
		if out := a.Do(context.Background(), &p.Entries[0]); out.Result != remedy.WouldApply {
			t.Errorf("%v %s", out.Result, out.Why)
		}
		l.home.ChangeGroup("cache", func(g *ec.ReplicationGroup) { g.Description = ptr("another") })
		if out := a.Do(context.Background(), &p.Entries[0]); out.Result != remedy.EntryRefused {
			t.Errorf("%v %s", out.Result, out.Why)
		}
		if len(l.written())+len(l.events)+len(l.states) > 0 {
			t.Errorf("calls %v, records %v, states %v", l.written(), l.stages(), l.states)
		}
	})
}

// A lost answer, and a process that ends in the middle of a step, leave nothing done twice and nothing half done.
func TestFailuresHalfWay(t *testing.T) {
	t.Parallel()
	f := func(action string, after bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, remedy.Settings{Actions: map[string]remedy.Action{"AUTH-01": remedy.SnapshotDelete}})
			l.home.AddGroup("cache", unguarded)
			p := l.plan()
			failing := true
			l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
				if failing && c.Action == action {
					return &fakeaws.Fault{After: after}
				}
				return nil
			})
			out := l.apply(p)
			failing = false
			if out.Result != remedy.Applied {
				out = l.apply(p) // by another process, as far as the applier knows
			}
			if out.Result != remedy.Applied || l.home.Group("cache") != nil || len(l.home.Snapshots()) != 1 {
				t.Errorf("%s, after %t: %v %s %v, %d snapshots", action, after, out.Result, out.Why, out.Err, len(l.home.Snapshots()))
			}
		})
	}
	for _, action := range []string{"CreateSnapshot", "DescribeSnapshots", "DeleteReplicationGroup", "DescribeReplicationGroups"} {
		f(action, false)
		f(action, true)
	}
}

// A group with rules in the quarantine group is not quarantined: it would not be out of reach.
func TestQuarantineThatIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache", unguarded)
		l.home.AddSecurityGroup(fakeaws.SecurityGroup{ID: "sg-q", Name: "lethe-quarantine",
			Ingress: []fakeaws.Permission{{Protocol: "tcp", From: 6379, To: 6379, CIDRs: []fakeaws.Range{{CIDR: "10.0.0.0/8"}}}}})
		if out := l.apply(l.plan()); out.Result != remedy.EntryRefused || out.Why != "quarantine-open" {
			t.Errorf("%v %s %v", out.Result, out.Why, out.Err)
		}
	})
}

// A plan's file is read as it was written, and refused when it was changed by hand.
func TestPlanFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("one", unguarded)
		l.home.AddGroup("two", noBackups)
		l.home.AddGroup("good")
		p := l.plan()
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := remedy.ReadPlan(b.Bytes())
		if err != nil || len(again.Entries) != 2 || again.Entries[1].ID != p.Entries[1].ID {
			t.Fatalf("%v", err)
		}
		f := func(old, new string) {
			t.Helper()
			src := strings.Replace(b.String(), old, new, 1)
			if src == b.String() {
				t.Fatalf("the plan has no %s", old)
			}
			if _, err := remedy.ReadPlan([]byte(src)); err == nil {
				t.Errorf("a plan with %s for %s is read", new, old)
			}
		}
		f(`"action": "quarantine"`, `"action": "snapshot-delete"`)
		f(`"AUTH-01"`, `"AUTH-04"`)
		f(`"cache_id": "one"`, `"cache_id": "good"`)
		f(`"version": 1`, `"version": 2`)
		f(`"made_at"`, `"made_when"`)
		f(p.Entries[0].Sum, p.Entries[1].Sum)
		if slices.ContainsFunc(p.Entries, func(e remedy.Entry) bool { return e.CacheID == "good" }) {
			t.Error("a compliant cache is in the plan")
		}
	})
}
