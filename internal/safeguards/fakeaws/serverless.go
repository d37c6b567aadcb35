package fakeaws

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// ServerlessARN is the ARN of a serverless cache.
func (r *Region) ServerlessARN(name string) string {
	return r.arn("elasticache", "serverlesscache", name)
}

// AddServerless makes an available serverless cache that no rule finds fault with; change spoils it.
func (r *Region) AddServerless(name string, change ...func(*ec.ServerlessCache)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	s := &ec.ServerlessCache{
		ServerlessCacheName: &name, ARN: ptr(r.ServerlessARN(name)), Status: ptr("available"), Engine: ptr("valkey"),
		FullEngineVersion: ptr("8.0"), MajorEngineVersion: ptr("8"), CreateTime: ptr(r.fake.o.Now().Add(-30 * 24 * time.Hour)),
		KmsKeyId: ptr(r.KeyARN("cache")), StorageEncryptionType: ec.StorageEncryptionTypeSseKms, SnapshotRetentionLimit: ptr[int32](35),
		UserGroupId: ptr("app"), SecurityGroupIds: []string{"sg-cache"}, SubnetIds: []string{"subnet-a", "subnet-b"},
		Endpoint: &ec.Endpoint{Address: ptr(name + ".cache"), Port: ptr[int32](6379)},
	}
	for _, f := range change {
		f(s)
	}
	r.serverless[name] = s
}

// Serverless is a copy of a serverless cache as it is now, nil if there is none.
func (r *Region) Serverless(name string) *ec.ServerlessCache {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	s := r.serverless[name]
	if s == nil {
		return nil
	}
	copied := *s
	return &copied
}

func describeServerless(c *call) (any, *Error) {
	list := values(c.serverless)
	if name := c.in.text("ServerlessCacheName"); name != "" {
		if c.serverless[name] == nil {
			return nil, notFound("ServerlessCacheNotFoundFault", name)
		}
		list = []ec.ServerlessCache{*c.serverless[name]}
	}
	list, next, err := page(c, list, func(x ec.ServerlessCache) string { return *x.ServerlessCacheName }, "MaxResults", "NextToken")
	return elasticache.DescribeServerlessCachesOutput{ServerlessCaches: list, NextToken: next}, err
}

func modifyServerless(c *call) (any, *Error) {
	name := c.in.text("ServerlessCacheName")
	s := c.serverless[name]
	switch {
	case s == nil:
		return nil, notFound("ServerlessCacheNotFoundFault", name)
	case str(s.Status) != "available":
		return nil, &Error{400, "InvalidServerlessCacheStateFault", "The cache is not available."}
	}
	in := c.in
	s.Status = ptr("modifying")
	c.after(c.now, func() {
		if c.serverless[name] != s || *s.Status == "deleting" {
			return
		}
		if n := in.number("SnapshotRetentionLimit"); n != nil {
			s.SnapshotRetentionLimit = n
		}
		if ids := in.texts("SecurityGroupIds"); ids != nil {
			s.SecurityGroupIds = ids
		}
		s.Status = ptr("available")
	})
	return elasticache.ModifyServerlessCacheOutput{ServerlessCache: s}, nil
}

func deleteServerless(c *call) (any, *Error) {
	name := c.in.text("ServerlessCacheName")
	s := c.serverless[name]
	switch {
	case s == nil:
		return nil, notFound("ServerlessCacheNotFoundFault", name)
	case str(s.Status) != "available":
		return nil, &Error{400, "InvalidServerlessCacheStateFault", "The cache is not available."}
	}
	s.Status = ptr("deleting")
	c.after(c.now, func() {
		delete(c.serverless, name)
		delete(c.tags, *s.ARN)
	})
	return elasticache.DeleteServerlessCacheOutput{ServerlessCache: s}, nil
}

func createServerlessSnapshot(c *call) (any, *Error) {
	name, of := c.in.text("ServerlessCacheSnapshotName"), c.in.text("ServerlessCacheName")
	s := c.serverless[of]
	switch {
	case s == nil:
		return nil, notFound("ServerlessCacheNotFoundFault", of)
	case str(s.Status) != "available":
		return nil, &Error{400, "InvalidServerlessCacheStateFault", "The cache is not available."}
	case c.lessSnapshots[name] != nil:
		return nil, &Error{400, "ServerlessCacheSnapshotAlreadyExistsFault", "The snapshot exists."}
	}
	key := c.in.optional("KmsKeyId")
	if key == nil {
		key = s.KmsKeyId
	}
	x := &ec.ServerlessCacheSnapshot{
		ServerlessCacheSnapshotName: &name, ARN: ptr(c.arn("elasticache", "serverlesscachesnapshot", name)), Status: ptr("creating"),
		CreateTime: ptr(c.now), KmsKeyId: key,
		ServerlessCacheConfiguration: &ec.ServerlessCacheConfiguration{ServerlessCacheName: &of, Engine: s.Engine},
	}
	c.lessSnapshots[name] = x
	c.after(c.now, func() { x.Status = ptr("available") })
	return elasticache.CreateServerlessCacheSnapshotOutput{ServerlessCacheSnapshot: x}, nil
}

func describeServerlessSnapshots(c *call) (any, *Error) {
	var list []ec.ServerlessCacheSnapshot
	for _, x := range values(c.lessSnapshots) {
		if n := c.in.text("ServerlessCacheSnapshotName"); n != "" && n != *x.ServerlessCacheSnapshotName {
			continue
		}
		if n := c.in.text("ServerlessCacheName"); n != "" && n != *x.ServerlessCacheConfiguration.ServerlessCacheName {
			continue
		}
		list = append(list, x)
	}
	if n := c.in.text("ServerlessCacheSnapshotName"); n != "" && len(list) == 0 {
		return nil, notFound("ServerlessCacheSnapshotNotFoundFault", n)
	}
	list, next, err := page(c, list, func(x ec.ServerlessCacheSnapshot) string { return *x.ServerlessCacheSnapshotName }, "MaxResults", "NextToken")
	return elasticache.DescribeServerlessCacheSnapshotsOutput{ServerlessCacheSnapshots: list, NextToken: next}, err
}
