package awsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

func (s *Session) listUsers(ctx context.Context, from *string) ([]ec.User, *string, error) {
	r, err := s.ElastiCache.DescribeUsers(ctx, &elasticache.DescribeUsersInput{Marker: from, MaxRecords: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.Users, r.Marker, nil
}

func (s *Session) listUserGroups(ctx context.Context, from *string) ([]ec.UserGroup, *string, error) {
	r, err := s.ElastiCache.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{Marker: from, MaxRecords: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.UserGroups, r.Marker, nil
}

func (s *Session) listMemoryUsers(ctx context.Context, from *string) ([]mdb.User, *string, error) {
	r, err := s.MemoryDB.DescribeUsers(ctx, &memorydb.DescribeUsersInput{NextToken: from})
	if err != nil {
		return nil, nil, err
	}
	return r.Users, r.NextToken, nil
}

func (s *Session) listACLs(ctx context.Context, from *string) ([]mdb.ACL, *string, error) {
	r, err := s.MemoryDB.DescribeACLs(ctx, &memorydb.DescribeACLsInput{NextToken: from})
	if err != nil {
		return nil, nil, err
	}
	return r.ACLs, r.NextToken, nil
}

// authUser is what AWS says of an ElastiCache user. Which passwords it has, AWS does not tell.
func authUser(u *ec.User) model.AuthUser {
	out := userOf(text(u.UserName), text(u.AccessString))
	out.Groups = slices.Sorted(slices.Values(u.UserGroupIds))
	if u.Authentication != nil {
		out.Method = string(u.Authentication.Type)
		out.Passwords = int64(aws.ToInt32(u.Authentication.PasswordCount))
		out.NoPassword = strings.HasPrefix(out.Method, "no-password")
	}
	return out
}

func (a *around) user(ctx context.Context, u *ec.User) *Item {
	b := newBuilder(a.s, model.User, text(u.ARN), "DescribeUsers")
	setText(b, model.Engine, strings.ToLower(text(u.Engine)), "Engine")
	setText(b, model.Status, text(u.Status), "Status")
	model.Users.Set(b.r, []model.AuthUser{authUser(u)}, b.from("AccessString"))
	a.s.setTags(ctx, b, text(u.ARN))
	return &Item{b.r, Detail{ID: text(u.UserId)}}
}

// userGroup has the users of the group, which are known if the list of users is.
func (a *around) userGroup(ctx context.Context, g *ec.UserGroup, users []ec.User, usersErr error) *Item {
	b := newBuilder(a.s, model.UserGroup, text(g.ARN), "DescribeUserGroups")
	setText(b, model.Engine, strings.ToLower(text(g.Engine)), "Engine")
	setText(b, model.Status, text(g.Status), "Status")
	a.s.setTags(ctx, b, text(g.ARN))
	members := []model.AuthUser{}
	for i := range users {
		if slices.Contains(g.UserIds, text(users[i].UserId)) {
			members = append(members, authUser(&users[i]))
		}
	}
	switch {
	case usersErr != nil:
		b.unknown("DescribeUsers", usersErr, model.Users)
	case len(members) < len(g.UserIds):
		model.Users.SetUnknown(b.r, "DescribeUsers does not have all of them", b.from("UserIds"))
	default:
		model.Users.Set(b.r, members, b.from("UserIds"))
	}
	return &Item{b.r, Detail{ID: text(g.UserGroupId)}}
}

func memoryAuthUser(u *mdb.User) model.AuthUser {
	out := userOf(text(u.Name), text(u.AccessString))
	out.Groups = slices.Sorted(slices.Values(u.ACLNames))
	if u.Authentication != nil {
		out.Method = string(u.Authentication.Type)
		out.Passwords = int64(aws.ToInt32(u.Authentication.PasswordCount))
		out.NoPassword = strings.HasPrefix(out.Method, "no-password")
	}
	return out
}

func (a *around) memoryUser(ctx context.Context, u *mdb.User) *Item {
	b := newBuilder(a.s, model.MemoryDBUser, text(u.ARN), "DescribeUsers")
	setText(b, model.Status, text(u.Status), "Status")
	model.Users.Set(b.r, []model.AuthUser{memoryAuthUser(u)}, b.from("AccessString"))
	a.s.setMemoryTags(ctx, b, text(u.ARN))
	return &Item{b.r, Detail{ID: text(u.Name)}}
}

func (a *around) acl(ctx context.Context, g *mdb.ACL, users []mdb.User, usersErr error) *Item {
	b := newBuilder(a.s, model.MemoryDBACL, text(g.ARN), "DescribeACLs")
	setText(b, model.Status, text(g.Status), "Status")
	a.s.setMemoryTags(ctx, b, text(g.ARN))
	members := []model.AuthUser{}
	for i := range users {
		if slices.Contains(g.UserNames, text(users[i].Name)) {
			members = append(members, memoryAuthUser(&users[i]))
		}
	}
	switch {
	case usersErr != nil:
		b.unknown("DescribeUsers", usersErr, model.Users)
	case len(members) < len(g.UserNames):
		model.Users.SetUnknown(b.r, "DescribeUsers does not have all of them", b.from("UserNames"))
	default:
		model.Users.Set(b.r, members, b.from("UserNames"))
	}
	return &Item{b.r, Detail{ID: text(g.Name)}}
}
