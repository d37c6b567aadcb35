package rules

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// The scopes that most rules share. AWS's kinds can be read from the API and from the three forms of code.

func managed(kinds ...model.Kind) Scope {
	return Scope{kinds, []model.Target{model.AWS, model.Terraform, model.Plan, model.CloudFormation}}
}

func onAWS(kinds ...model.Kind) Scope { return Scope{kinds, []model.Target{model.AWS}} }

func inCode(kinds ...model.Kind) Scope {
	return Scope{kinds, []model.Target{model.Terraform, model.Plan, model.CloudFormation}}
}

// server is what one runs oneself, wherever its settings can be read; live adds a running one.
func server(more ...model.Target) Scope {
	return Scope{[]model.Kind{model.Server}, append([]model.Target{model.Kubernetes, model.Compose, model.Config}, more...)}
}

func live() Scope { return Scope{[]model.Kind{model.Server}, []model.Target{model.Live}} }

func watcher() Scope { return Scope{[]model.Kind{model.Watcher}, []model.Target{model.Sentinel}} }

func aclFile() Scope { return Scope{[]model.Kind{model.ACLFile}, []model.Target{model.ACL}} }

// ofLethe is Lethe itself: kinds of its files, or Server for a running one.
func ofLethe(kinds ...model.Kind) Scope { return Scope{kinds, []model.Target{model.Lethe}} }

// clusters are the caches with nodes; caches are all that hold data.
func clusters() []model.Kind {
	return []model.Kind{model.ReplicationGroup, model.CacheCluster, model.MemoryDB}
}

func caches() []model.Kind { return append(clusters(), model.ServerlessCache) }

func elastiCache() []model.Kind { return []model.Kind{model.ReplicationGroup, model.CacheCluster} }

func isManaged(k model.Kind) bool { return slices.Contains(caches(), k) }
