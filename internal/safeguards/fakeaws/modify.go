package fakeaws

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// modifyGroup starts a change; it is there when the group is available again.
func modifyGroup(c *call) (any, *Error) {
	id := c.in.text("ReplicationGroupId")
	g := c.groups[id]
	if g == nil {
		return nil, notFound("ReplicationGroupNotFoundFault", id)
	}
	if str(g.Status) != "available" {
		return nil, &Error{400, "InvalidReplicationGroupState", "Replication group is not available."}
	}
	if err := c.mayModify(g); err != nil {
		return nil, err
	}
	if c.in.text("ApplyImmediately") != "true" {
		return elasticache.ModifyReplicationGroupOutput{ReplicationGroup: g}, nil // waits for the maintenance window
	}
	in := c.in
	g.Status = ptr("modifying")
	g.PendingModifiedValues = pendingOf(in)
	c.after(c.now, func() {
		if c.groups[id] != g || *g.Status == "deleting" {
			return
		}
		c.applyModification(g, in)
		g.Status, g.PendingModifiedValues = ptr("available"), nil
		c.note(c.fake.o.Now(), ec.SourceTypeReplicationGroup, id, "Replication group modified")
	})
	return elasticache.ModifyReplicationGroupOutput{ReplicationGroup: g}, nil
}

// mayModify has the rules between members that the service model does not tell.
func (c *call) mayModify(g *ec.ReplicationGroup) *Error {
	combination := func(text string) *Error { return &Error{400, "InvalidParameterCombination", text} }
	on := c.in.flag("TransitEncryptionEnabled")
	mode := c.in.text("TransitEncryptionMode")
	switch {
	case mode == "required" && !*g.TransitEncryptionEnabled:
		return combination("Encryption in transit is enabled with the mode preferred first.")
	case on != nil && *on && !*g.TransitEncryptionEnabled && mode != "preferred":
		return combination("Encryption in transit is enabled with the mode preferred first.")
	case on != nil && !*on && g.TransitEncryptionMode == ec.TransitEncryptionModeRequired:
		return combination("Encryption in transit is disabled from the mode preferred.")
	}
	strategy := c.in.text("AuthTokenUpdateStrategy")
	token := c.in.text("AuthToken")
	switch {
	case (token != "") != (strategy != "" && strategy != "DELETE"):
		return combination("A token and its strategy belong together.")
	case token != "" && !*g.TransitEncryptionEnabled:
		return combination("An AUTH token needs encryption in transit.")
	case token != "" && len(g.UserGroupIds) > 0:
		return combination("An AUTH token and user groups exclude each other.")
	case strategy == "SET" && !slices.Contains(c.tokens[*g.ReplicationGroupId].valid, token) && len(c.tokens[*g.ReplicationGroupId].valid) > 0:
		return combination("SET takes a token that was given with ROTATE before.")
	}
	if token != "" && !fitsAPI(token) {
		return invalid("The AUTH token has a character that is not allowed.")
	}
	for _, sg := range c.in.texts("SecurityGroupIds") {
		if c.network.groups[sg] == nil {
			return invalid("The security group %s does not exist.", sg)
		}
	}
	return nil
}

// fitsAPI is ElastiCache's rule for tokens: of the marks only ! & # $ ^ < > - are allowed.
func fitsAPI(token string) bool {
	return !slices.ContainsFunc([]byte(token), func(b byte) bool {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		return !letter && !slices.Contains([]byte("!&#$^<>-"), b)
	})
}

func pendingOf(in params) *ec.ReplicationGroupPendingModifiedValues {
	p := &ec.ReplicationGroupPendingModifiedValues{
		TransitEncryptionEnabled: in.flag("TransitEncryptionEnabled"),
		TransitEncryptionMode:    ec.TransitEncryptionMode(in.text("TransitEncryptionMode")),
	}
	switch in.text("AuthTokenUpdateStrategy") {
	case "ROTATE":
		p.AuthTokenStatus = ec.AuthTokenUpdateStatusRotating
	case "SET":
		p.AuthTokenStatus = ec.AuthTokenUpdateStatusSetting
	}
	return p
}

func (c *call) applyModification(g *ec.ReplicationGroup, in params) {
	if b := in.flag("TransitEncryptionEnabled"); b != nil {
		g.TransitEncryptionEnabled = b
	}
	if m := in.text("TransitEncryptionMode"); m != "" {
		g.TransitEncryptionMode = ec.TransitEncryptionMode(m)
	}
	if b := in.flag("AutoMinorVersionUpgrade"); b != nil {
		g.AutoMinorVersionUpgrade = b
	}
	if n := in.number("SnapshotRetentionLimit"); n != nil {
		g.SnapshotRetentionLimit = n
	}
	if b := in.flag("MultiAZEnabled"); b != nil && *b {
		g.MultiAZ = ec.MultiAZStatusEnabled
	}
	for _, l := range in.structs("LogDeliveryConfigurations") {
		g.LogDeliveryConfigurations = setLog(g.LogDeliveryConfigurations, l)
	}
	if ids := in.texts("SecurityGroupIds"); ids != nil {
		for _, m := range g.MemberClusters {
			c.clusters[m].SecurityGroups = memberships(ids)
		}
	}
	c.applyToken(g, in.text("AuthTokenUpdateStrategy"), in.text("AuthToken"))
}

// applyToken adds a token (ROTATE) or makes it the only one (SET).
func (c *call) applyToken(g *ec.ReplicationGroup, strategy, token string) {
	id := *g.ReplicationGroupId
	switch strategy {
	case "ROTATE":
		valid := append(slices.Clone(c.tokens[id].valid), token)
		c.tokens[id] = tokens{valid[max(0, len(valid)-2):]}
	case "SET":
		c.tokens[id] = tokens{[]string{token}}
	default:
		return
	}
	g.AuthTokenEnabled, g.AuthTokenLastModifiedDate = ptr(true), ptr(c.fake.o.Now())
}

func setLog(list []ec.LogDeliveryConfiguration, l params) []ec.LogDeliveryConfiguration {
	kind := ec.LogType(l.text("LogType"))
	list = slices.DeleteFunc(slices.Clone(list), func(x ec.LogDeliveryConfiguration) bool { return x.LogType == kind })
	if on := l.flag("Enabled"); on != nil && !*on {
		return list
	}
	var group *string
	if d, ok := l["DestinationDetails"].(params); ok {
		if w, ok := d["CloudWatchLogsDetails"].(params); ok {
			group = w.optional("LogGroup")
		}
	}
	return append(list, ec.LogDeliveryConfiguration{
		LogType: kind, LogFormat: ec.LogFormat(l.text("LogFormat")), DestinationType: ec.DestinationType(l.text("DestinationType")),
		DestinationDetails: &ec.DestinationDetails{CloudWatchLogsDetails: &ec.CloudWatchLogsDestinationDetails{LogGroup: group}},
		Status:             ec.LogDeliveryConfigurationStatusActive,
	})
}

func deleteGroup(c *call) (any, *Error) {
	id := c.in.text("ReplicationGroupId")
	g := c.groups[id]
	if g == nil {
		return nil, notFound("ReplicationGroupNotFoundFault", id)
	}
	if str(g.Status) != "available" || g.GlobalReplicationGroupInfo != nil {
		return nil, &Error{400, "InvalidReplicationGroupState", "Replication group cannot be deleted now."}
	}
	if final := c.in.text("FinalSnapshotIdentifier"); final != "" {
		if c.snapshots[final] != nil {
			return nil, &Error{400, "SnapshotAlreadyExistsFault", "The snapshot exists."}
		}
		c.snapshots[final] = c.snapshotOf(final, g, "available")
	}
	g.Status = ptr("deleting")
	for _, m := range g.MemberClusters {
		c.clusters[m].CacheClusterStatus = ptr("deleting")
	}
	c.after(c.now, func() {
		for _, m := range g.MemberClusters {
			delete(c.clusters, m)
		}
		delete(c.groups, id)
		delete(c.tags, *g.ARN)
		c.note(c.fake.o.Now(), ec.SourceTypeReplicationGroup, id, "Replication group deleted")
	})
	return elasticache.DeleteReplicationGroupOutput{ReplicationGroup: g}, nil
}

func batchApply(c *call) (any, *Error) {
	var out elasticache.BatchApplyUpdateActionOutput
	name := c.in.text("ServiceUpdateName")
	for _, id := range c.in.texts("ReplicationGroupIds") {
		i := slices.IndexFunc(c.updates, func(u ec.UpdateAction) bool {
			return str(u.ReplicationGroupId) == id && str(u.ServiceUpdateName) == name
		})
		if i < 0 || c.groups[id] == nil || str(c.groups[id].Status) != "available" {
			out.UnprocessedUpdateActions = append(out.UnprocessedUpdateActions, ec.UnprocessedUpdateAction{
				ReplicationGroupId: ptr(id), ServiceUpdateName: &name, ErrorType: ptr("InvalidReplicationGroupState"), ErrorMessage: ptr("It cannot be updated now."),
			})
			continue
		}
		group := c.groups[id]
		c.updates[i].UpdateActionStatus, group.Status = ec.UpdateActionStatusInProgress, ptr("modifying")
		c.after(c.now, func() {
			c.updates[i].UpdateActionStatus, group.Status = ec.UpdateActionStatusComplete, ptr("available")
		})
		out.ProcessedUpdateActions = append(out.ProcessedUpdateActions, ec.ProcessedUpdateAction{
			ReplicationGroupId: ptr(id), ServiceUpdateName: &name, UpdateActionStatus: ec.UpdateActionStatusInProgress,
		})
	}
	return out, nil
}
