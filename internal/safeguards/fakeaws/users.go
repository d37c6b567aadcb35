package fakeaws

import (
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// AddUser makes a user with a password and an access string.
func (r *Region) AddUser(id, access string, change ...func(*ec.User)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	u := &ec.User{
		UserId: &id, UserName: &id, ARN: ptr(r.arn("elasticache", "user", id)), Status: ptr("active"), Engine: ptr("redis"), AccessString: &access,
		Authentication: &ec.Authentication{Type: ec.AuthenticationTypePassword, PasswordCount: ptr[int32](1)},
	}
	for _, f := range change {
		f(u)
	}
	r.users[id] = u
}

// AddUserGroup makes a user group.
func (r *Region) AddUserGroup(id string, users ...string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.userGroups[id] = &ec.UserGroup{
		UserGroupId: &id, ARN: ptr(r.arn("elasticache", "usergroup", id)), Status: ptr("active"), Engine: ptr("redis"), UserIds: users,
	}
	for _, u := range users {
		if r.users[u] != nil {
			r.users[u].UserGroupIds = append(r.users[u].UserGroupIds, id)
		}
	}
}

func describeUsers(c *call) (any, *Error) {
	list, next, err := page(c, values(c.users), func(x ec.User) string { return *x.UserId }, "MaxRecords", "Marker")
	return elasticache.DescribeUsersOutput{Users: list, Marker: next}, err
}

func describeUserGroups(c *call) (any, *Error) {
	list, next, err := page(c, values(c.userGroups), func(x ec.UserGroup) string { return *x.UserGroupId }, "MaxRecords", "Marker")
	return elasticache.DescribeUserGroupsOutput{UserGroups: list, Marker: next}, err
}
