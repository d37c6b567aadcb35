package fakeaws

import ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

// Update is how far a service update of a group is; empty for one that is not offered.
func (r *Region) Update(group, name string) ec.UpdateActionStatus {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	for _, u := range r.updates {
		if str(u.ReplicationGroupId) == group && str(u.ServiceUpdateName) == name {
			return u.UpdateActionStatus
		}
	}
	return ""
}
