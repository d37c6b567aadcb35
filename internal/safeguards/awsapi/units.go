package awsapi

import (
	"context"
	"slices"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"
)

// unit is one list of one region: what a scan does in one go, and what its journal marks as done.
type unit struct {
	name string
	call string // the call that lists it
	// run gives the list's items page by page from a marker on; next is nil after the last page.
	run func(ctx context.Context, a *around, from *string, each func(items []*Item, next *string) error) error
}

// units are all of a region's lists, in the order in which they are read.
func units() []unit {
	return []unit{
		{"account", "DescribeTrails", func(ctx context.Context, a *around, _ *string, each func([]*Item, *string) error) error {
			return each([]*Item{a.account(ctx)}, nil)
		}},
		{"groups", "DescribeReplicationGroups", paged((*Session).listGroups,
			func(ctx context.Context, a *around, g *ec.ReplicationGroup) *Item { return a.group(ctx, g) })},
		{"clusters", "DescribeCacheClusters", runClusters},
		{"serverless", "DescribeServerlessCaches", paged((*Session).listServerless,
			func(ctx context.Context, a *around, c *ec.ServerlessCache) *Item { return a.serverless(ctx, c) })},
		{"snapshots", "DescribeSnapshots", paged((*Session).listSnapshots,
			func(ctx context.Context, a *around, x *ec.Snapshot) *Item { return a.snapshot(ctx, x) })},
		{"serverless-snapshots", "DescribeServerlessCacheSnapshots", paged((*Session).listServerlessSnapshots,
			func(ctx context.Context, a *around, x *ec.ServerlessCacheSnapshot) *Item {
				return a.serverlessSnapshot(ctx, x)
			})},
		{"users", "DescribeUsers", paged((*Session).listUsers,
			func(ctx context.Context, a *around, u *ec.User) *Item { return a.user(ctx, u) })},
		{"user-groups", "DescribeUserGroups", runUserGroups},
		{"memorydb", "memorydb:DescribeClusters", paged((*Session).listMemory,
			func(ctx context.Context, a *around, c *mdb.Cluster) *Item { return a.memory(ctx, c) })},
		{"memorydb-snapshots", "memorydb:DescribeSnapshots", paged((*Session).listMemorySnapshots,
			func(ctx context.Context, a *around, x *mdb.Snapshot) *Item { return a.memorySnapshot(ctx, x) })},
		{"memorydb-users", "memorydb:DescribeUsers", paged((*Session).listMemoryUsers,
			func(ctx context.Context, a *around, u *mdb.User) *Item { return a.memoryUser(ctx, u) })},
		{"memorydb-acls", "memorydb:DescribeACLs", runACLs},
	}
}

// cacheUnits are the lists of caches.
func cacheUnits() []unit {
	return slices.DeleteFunc(units(), func(u unit) bool {
		return !slices.Contains([]string{"groups", "clusters", "serverless", "memorydb"}, u.name)
	})
}

// paged makes a unit of a list and of what makes an item of its elements.
func paged[T any](list func(*Session, context.Context, *string) ([]T, *string, error),
	item func(context.Context, *around, *T) *Item,
) func(context.Context, *around, *string, func([]*Item, *string) error) error {
	return func(ctx context.Context, a *around, from *string, each func([]*Item, *string) error) error {
		read := func(ctx context.Context, from *string) ([]T, *string, error) { return list(a.s, ctx, from) }
		return eachPage(ctx, from, read, func(page []T, next *string) error {
			items := make([]*Item, len(page))
			for i := range page {
				if err := ctx.Err(); err != nil {
					return err // facts that a canceled scan could not read are no answer
				}
				items[i] = item(ctx, a, &page[i])
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return each(items, next)
		})
	}
}

// runClusters gives the clusters that are in no group; the list has been read for the groups' members.
func runClusters(ctx context.Context, a *around, _ *string, each func([]*Item, *string) error) error {
	found, err := a.cacheClusters(ctx)
	if err != nil {
		return err
	}
	items := make([]*Item, len(found.alone))
	for i := range found.alone {
		items[i] = a.cluster(ctx, &found.alone[i])
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return each(items, nil)
}

func runUserGroups(ctx context.Context, a *around, from *string, each func([]*Item, *string) error) error {
	users, usersErr := all(ctx, a.s.listUsers)
	return paged((*Session).listUserGroups, func(ctx context.Context, a *around, g *ec.UserGroup) *Item {
		return a.userGroup(ctx, g, users, usersErr)
	})(ctx, a, from, each)
}

func runACLs(ctx context.Context, a *around, from *string, each func([]*Item, *string) error) error {
	users, usersErr := all(ctx, a.s.listMemoryUsers)
	return paged((*Session).listACLs, func(ctx context.Context, a *around, g *mdb.ACL) *Item {
		return a.acl(ctx, g, users, usersErr)
	})(ctx, a, from, each)
}
