package fakeaws

// operations are what the fake can do. A row here needs its row in the service's *.shapes file.
func operations() map[string]func(*call) (any, *Error) {
	return map[string]func(*call) (any, *Error){
		"elasticache.DescribeReplicationGroups":        describeGroups,
		"elasticache.DescribeCacheClusters":            describeClusters,
		"elasticache.DescribeServerlessCaches":         describeServerless,
		"elasticache.DescribeSnapshots":                describeSnapshots,
		"elasticache.DescribeServerlessCacheSnapshots": describeServerlessSnapshots,
		"elasticache.DescribeUsers":                    describeUsers,
		"elasticache.DescribeUserGroups":               describeUserGroups,
		"elasticache.DescribeCacheParameters":          describeParameters,
		"elasticache.DescribeCacheSubnetGroups":        describeSubnetGroups,
		"elasticache.DescribeUpdateActions":            describeUpdates,
		"elasticache.DescribeEvents":                   describeEvents,
		"elasticache.ListTagsForResource":              listTags,
		"elasticache.CreateReplicationGroup":           createGroup,
		"elasticache.CreateCacheCluster":               createCluster,
		"elasticache.CreateCacheSubnetGroup":           createSubnetGroup,
		"elasticache.CreateSnapshot":                   createSnapshot,
		"elasticache.CreateServerlessCacheSnapshot":    createServerlessSnapshot,
		"elasticache.ModifyReplicationGroup":           modifyGroup,
		"elasticache.ModifyCacheCluster":               modifyCluster,
		"elasticache.ModifyServerlessCache":            modifyServerless,
		"elasticache.DeleteReplicationGroup":           deleteGroup,
		"elasticache.DeleteCacheCluster":               deleteCluster,
		"elasticache.DeleteServerlessCache":            deleteServerless,
		"elasticache.BatchApplyUpdateAction":           batchApply,

		"memorydb.DescribeClusters":     describeMemory,
		"memorydb.DescribeSnapshots":    describeMemorySnapshots,
		"memorydb.DescribeUsers":        describeMemoryUsers,
		"memorydb.DescribeACLs":         describeMemoryACLs,
		"memorydb.DescribeSubnetGroups": describeMemorySubnetGroups,
		"memorydb.DescribeParameters":   describeMemoryParameters,
		"memorydb.ListTags":             listMemoryTags,
		"memorydb.CreateSnapshot":       snapshotMemory,
		"memorydb.UpdateCluster":        updateMemory,
		"memorydb.DeleteCluster":        deleteMemory,

		"sts.AssumeRole":        assumeRole,
		"sts.GetCallerIdentity": callerIdentity,

		"ec2.DescribeSecurityGroups":    describeSecurityGroups,
		"ec2.DescribeSubnets":           describeSubnets,
		"ec2.DescribeRouteTables":       describeRouteTables,
		"ec2.DescribeVpcs":              describeVPCs,
		"ec2.CreateSecurityGroup":       createSecurityGroup,
		"ec2.RevokeSecurityGroupEgress": revokeEgress,

		"kms.DescribeKey":          describeKey,
		"kms.GetKeyRotationStatus": keyRotation,

		"cloudtrail.DescribeTrails":    describeTrails,
		"cloudtrail.GetTrailStatus":    trailStatus,
		"cloudtrail.GetEventSelectors": trailSelectors,

		"sqs.ReceiveMessage": receiveMessages,
		"sqs.DeleteMessage":  deleteMessage,
	}
}
