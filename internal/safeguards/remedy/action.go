package remedy

import (
	"fmt"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Action is what is done to a cache.
type Action string

// The actions, from mild to strong.
const (
	Modify         Action = "modify"          // settings that can be changed in place, all in one call
	ServiceUpdate  Action = "service-update"  // take AWS's critical and important updates
	RotateToken    Action = "rotate-token"    // a second AUTH token, and after a time to move clients only that
	EncryptedCopy  Action = "encrypted-copy"  // an encrypted group from a snapshot, beside the old one
	Quarantine     Action = "quarantine"      // only a security group that lets nothing in
	SnapshotDelete Action = "snapshot-delete" // delete once a snapshot is complete
	DeleteNew      Action = "delete-new"      // delete within the creation window
)

// destroys tells actions after which the cache is gone.
func (a Action) destroys() bool { return a == SnapshotDelete || a == DeleteNew }

// Destructive tells actions that take a cache away from its clients: what budgets count and what dry runs are for.
func (a Action) Destructive() bool { return a.destroys() || a == Quarantine }

// remedies are the actions for each rule that fails, the default first. Rules that are not here are for people.
func remedies() map[string][]Action {
	return map[string][]Action{
		"ENC-REST-01": {EncryptedCopy, Quarantine, SnapshotDelete, DeleteNew},
		"ENC-TLS-01":  {Modify, Quarantine, SnapshotDelete, DeleteNew},
		"ENC-TLS-02":  {Modify, Quarantine},
		"AUTH-01":     {Quarantine, SnapshotDelete, DeleteNew},
		"AUTH-04":     {RotateToken},
		"VER-01":      {Quarantine, DeleteNew},
		"VER-02":      {Quarantine, SnapshotDelete, DeleteNew},
		"VER-04":      {ServiceUpdate},
		"VER-06":      {Modify},
		"NET-01":      {Quarantine},
		"BKP-01":      {Modify},
		"AUD-01":      {Modify},
	}
}

// Allowed are the actions for a rule, the default first; none where only people can help.
func Allowed(rule string) []Action { return remedies()[rule] }

// strength orders actions: of several failing rules the strongest action is taken.
func strength(a Action) int {
	return slices.Index([]Action{Modify, ServiceUpdate, RotateToken, EncryptedCopy, Quarantine, SnapshotDelete, DeleteNew}, a)
}

// cannot says why an action does not exist for a cache, empty if it does.
func cannot(a Action, it *awsapi.Item, s *Settings, now time.Time) string {
	kind := it.Resource.ID.Kind
	engine, _ := model.Engine.Of(it.Resource).Get()
	global, globalKnown := model.GlobalMember.Of(it.Resource).Get()
	if a.destroys() && (!globalKnown || global) {
		return "it is, or may be, a member of a global datastore, which has to be left first"
	}
	switch a {
	case Modify:
		return ""
	case ServiceUpdate, RotateToken, EncryptedCopy:
		if kind != model.ReplicationGroup {
			return fmt.Sprintf("%s exists for replication groups only", a)
		}
		if a == EncryptedCopy && (it.Detail.VPC == "" || len(it.Detail.SecurityGroups) == 0) {
			return "its network could not be read"
		}
	case Quarantine:
		if it.Detail.VPC == "" {
			return "its VPC could not be read"
		}
	case SnapshotDelete:
		if engine == "memcached" {
			return "Memcached has no snapshots"
		}
	case DeleteNew:
		created, known := model.CreatedAt.Of(it.Resource).Get()
		if s.CreationWindow <= 0 {
			return "no creation window is set"
		}
		if !known || now.Sub(created) >= s.CreationWindow || now.Before(created) {
			return "it was not made within the creation window"
		}
	}
	return ""
}
