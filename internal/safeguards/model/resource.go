package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Target is the kind of place that a resource was read from.
type Target string

// The targets; there are no others.
const (
	AWS            Target = "aws"            // the AWS API
	Terraform      Target = "terraform"      // HCL
	Plan           Target = "plan"           // terraform show -json
	CloudFormation Target = "cloudformation" // JSON and YAML
	Kubernetes     Target = "kubernetes"     // manifests and Helm's output
	Compose        Target = "compose"        // docker-compose
	Config         Target = "config"         // redis.conf, valkey.conf
	Sentinel       Target = "sentinel"       // sentinel.conf
	ACL            Target = "acl"            // an ACL file
	Live           Target = "live"           // a running server
	Lethe          Target = "lethe"          // Lethe itself: its files, or a running one
)

// Targets lists them in the order of documents.
func Targets() []Target {
	return []Target{AWS, Terraform, Plan, CloudFormation, Kubernetes, Compose, Config, Sentinel, ACL, Live, Lethe}
}

// Kind is what a resource is.
type Kind string

// The kinds; there are no others.
const (
	ReplicationGroup   Kind = "replication_group"
	CacheCluster       Kind = "cache_cluster" // on its own; members are reported on their group
	ServerlessCache    Kind = "serverless_cache"
	Snapshot           Kind = "snapshot"
	ServerlessSnapshot Kind = "serverless_snapshot"
	User               Kind = "user"
	UserGroup          Kind = "user_group"
	MemoryDB           Kind = "memorydb_cluster"
	MemoryDBSnapshot   Kind = "memorydb_snapshot"
	MemoryDBUser       Kind = "memorydb_user"
	MemoryDBACL        Kind = "memorydb_acl"
	Account            Kind = "account" // an AWS account in one region
	Server             Kind = "server"  // Redis, Valkey, KeyDB, Dragonfly or Lethe that one runs oneself
	Watcher            Kind = "sentinel"
	ACLFile            Kind = "acl_file"
	LetheSettings      Kind = "lethe_settings" // the file of `lethe serve --config`
	LethePolicy        Kind = "lethe_policy"
	LetheData          Kind = "lethe_data" // a data directory
)

// Kinds lists them in the order of documents.
func Kinds() []Kind {
	return []Kind{
		ReplicationGroup, CacheCluster, ServerlessCache, Snapshot, ServerlessSnapshot, User, UserGroup, MemoryDB, MemoryDBSnapshot,
		MemoryDBUser, MemoryDBACL, Account, Server, Watcher, ACLFile, LetheSettings, LethePolicy, LetheData,
	}
}

// ID says which resource it is, the same in every scan. What is not known or has no meaning for the target is empty.
type ID struct {
	Target  Target `json:"target"`
	Kind    Kind   `json:"kind"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	// Name is an ARN, a Terraform address, a logical ID, NAMESPACE/KIND/NAME/CONTAINER, a service's name, the path of a file
	// or directory, or HOST:PORT, by target.
	Name string `json:"name"`
}

// String is for people: KIND NAME (ACCOUNT REGION).
func (id ID) String() string {
	s := string(id.Kind) + " " + id.Name
	if id.Account != "" || id.Region != "" {
		s += fmt.Sprintf(" (%s %s)", id.Account, id.Region)
	}
	return s
}

// Resource is one cache, or a thing that belongs to caches, with what was read of it.
type Resource struct {
	ID     ID
	Source Source // where it is declared; zero for what is no file
	facts  map[string]Reading
}

// NewResource makes a resource of which nothing is known.
func NewResource(id ID, declared Source) *Resource {
	return &Resource{ID: id, Source: declared, facts: make(map[string]Reading)}
}

func (r *Resource) put(name string, reading Reading) { r.facts[name] = reading }

// Has says whether a reader set the fact, as known or as unknown.
func (r *Resource) Has(f AnyFact) bool {
	_, ok := r.facts[f.Name()]
	return ok
}

// Reading returns what was read of the fact with this name.
func (r *Resource) Reading(name string) Reading {
	reading, ok := r.facts[name]
	if !ok {
		return Reading{Why: notRead}
	}
	return reading
}

// Names lists the facts that were set, sorted.
func (r *Resource) Names() []string { return slices.Sorted(maps.Keys(r.facts)) }

// Hash is the SHA-256, in hexadecimal, of the identity and the facts without their sources: it changes exactly if what
// is known of the resource changes.
func (r *Resource) Hash() string {
	bare := NewResource(r.ID, Source{})
	for name, reading := range r.facts {
		reading.Source = Source{}
		bare.facts[name] = reading
	}
	src, err := json.Marshal(bare)
	if err != nil {
		panic("BUG: a resource has no JSON form: " + err.Error())
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

type resourceJSON struct {
	ID     ID                     `json:"id"`
	Source Source                 `json:"source,omitzero"`
	Facts  map[string]readingJSON `json:"facts"`
}

type readingJSON struct {
	State  string          `json:"state"`
	Value  json.RawMessage `json:"value,omitempty"`
	Why    string          `json:"why,omitempty"`
	Source Source          `json:"source,omitzero"`
}

// MarshalJSON writes the stable form that UnmarshalJSON reads. The same resource always gives the same bytes.
func (r *Resource) MarshalJSON() ([]byte, error) {
	out := resourceJSON{ID: r.ID, Source: r.Source, Facts: make(map[string]readingJSON, len(r.facts))}
	for name, reading := range r.facts {
		j := readingJSON{State: reading.State.String(), Why: reading.Why, Source: reading.Source}
		if reading.State == Known {
			src, err := json.Marshal(reading.Value)
			if err != nil {
				return nil, fmt.Errorf("cannot encode fact %s: %w", name, err)
			}
			j.Value = src
		}
		out.Facts[name] = j
	}
	return json.Marshal(out)
}

// UnmarshalJSON refuses facts and states that it does not know: what a newer release wrote must not be half understood.
func (r *Resource) UnmarshalJSON(src []byte) error {
	var in resourceJSON
	if err := json.Unmarshal(src, &in); err != nil {
		return fmt.Errorf("cannot decode resource: %w", err)
	}
	known := factsByName()
	*r = *NewResource(in.ID, in.Source)
	for name, j := range in.Facts {
		f := known[name]
		if f == nil {
			return fmt.Errorf("cannot decode resource: there is no fact %q", name)
		}
		reading := Reading{Source: j.Source, Why: j.Why}
		switch j.State {
		case Known.String():
			v, err := f.decode(j.Value)
			if err != nil {
				return err
			}
			reading.State, reading.Value = Known, v
		case Unknown.String():
		default:
			return fmt.Errorf("cannot decode fact %s: there is no state %q", name, j.State)
		}
		r.facts[name] = reading
	}
	return nil
}

func factsByName() map[string]AnyFact {
	all := Facts()
	byName := make(map[string]AnyFact, len(all))
	for _, f := range all {
		byName[f.Name()] = f
	}
	return byName
}
