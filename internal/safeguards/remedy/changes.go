package remedy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// changes are settings that one call changes in place.
type changes struct {
	transitOn     bool // encryption in transit, with the mode preferred: clients without TLS still get in
	transitOnly   bool // the mode required
	snapshotDays  int
	minorUpgrades bool
	logGroup      string
}

// changesFor is what a rule needs changed in place, nil where such a cache cannot be.
func changesFor(rule string, it *awsapi.Item, s *Settings) *changes {
	kind := it.Resource.ID.Kind
	nodes := kind == model.ReplicationGroup || kind == model.CacheCluster
	engine, _ := model.Engine.Of(it.Resource).Get()
	switch rule {
	case "ENC-TLS-01":
		if kind == model.ReplicationGroup {
			return &changes{transitOn: true}
		}
	case "ENC-TLS-02":
		// Without encryption there is ENC-TLS-01 to remedy first, and clients to move.
		if on, _ := model.TransitEncryption.Of(it.Resource).Get(); on && kind == model.ReplicationGroup {
			return &changes{transitOnly: true}
		}
	case "BKP-01":
		if engine != "memcached" {
			return &changes{snapshotDays: s.SnapshotDays}
		}
	case "VER-06":
		if nodes {
			return &changes{minorUpgrades: true}
		}
	case "AUD-01":
		if nodes && engine != "memcached" && s.LogGroup != "" {
			return &changes{logGroup: s.LogGroup}
		}
	}
	return nil
}

// merged are the changes of several rules, which one call makes.
func merged(rules []string, it *awsapi.Item, s *Settings) *changes {
	var all changes
	for _, rule := range rules {
		c := changesFor(rule, it, s)
		if c == nil {
			return nil
		}
		all.transitOn = all.transitOn || c.transitOn
		all.transitOnly = all.transitOnly || c.transitOnly
		all.snapshotDays = max(all.snapshotDays, c.snapshotDays)
		all.minorUpgrades = all.minorUpgrades || c.minorUpgrades
		if c.logGroup != "" {
			all.logGroup = c.logGroup
		}
	}
	return &all
}

// describe says what an entry does and how it is undone.
func describe(a Action, rules []string, it *awsapi.Item, s *Settings) (effects []string, undo string) {
	switch a {
	case Modify:
		return merged(rules, it, s).describe(), "set the old values again; transit encryption goes off from the mode preferred only"
	case ServiceUpdate:
		return []string{"applies AWS's critical and important updates, node by node"}, "none"
	case RotateToken:
		return []string{
			"adds a new AUTH token beside the old one (ROTATE)",
			fmt.Sprintf("after %s, in which clients take the new one, makes it the only one (SET)", s.Overlap),
		}, "before SET: rotate again with the old token"
	case EncryptedCopy:
		return []string{
			"makes a snapshot" + under(s.KMSKey),
			"makes a new group from it, encrypted at rest and in transit, with the same network, nodes and parameters",
			"then people move the clients to the new group and plan the end of the old one; writes after the snapshot are not in it",
		}, "delete the new group and the snapshot"
	case Quarantine:
		return []string{"replaces the security groups " + strings.Join(it.Detail.SecurityGroups, ", ") + " by " + awsapi.QuarantineName +
				": no client reaches the cache any more"},
			"set the security groups " + strings.Join(it.Detail.SecurityGroups, ", ") + " again"
	case SnapshotDelete:
		return []string{"makes a snapshot with a name of its own" + under(s.KMSKey), "deletes the cache once AWS says that the snapshot is complete"},
			"restore the snapshot"
	default:
		created, _ := model.CreatedAt.Of(it.Resource).Get()
		return []string{"deletes the cache, which was made at " + created.UTC().Format(time.RFC3339) + ", without a snapshot"}, "none"
	}
}

func under(key string) string {
	if key == "" {
		return ""
	}
	return " under the key " + key
}

func (c *changes) describe() []string {
	var out []string
	if c.transitOn {
		out = append(out, "enables encryption in transit in the mode preferred; once clients use TLS, ENC-TLS-02 makes it required")
	}
	if c.transitOnly {
		out = append(out, "requires encryption in transit: clients without TLS are cut off")
	}
	if c.snapshotDays > 0 {
		out = append(out, fmt.Sprintf("keeps automatic snapshots for %d days", c.snapshotDays))
	}
	if c.minorUpgrades {
		out = append(out, "takes minor versions by themselves")
	}
	if c.logGroup != "" {
		out = append(out, "delivers the slow log and the engine log to the log group "+c.logGroup)
	}
	return slices.Clip(out)
}
