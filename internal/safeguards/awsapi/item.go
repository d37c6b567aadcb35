package awsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Item is a resource with what a remedy has to know of it and no rule asks.
type Item struct {
	Resource *model.Resource `json:"resource"`
	Detail   Detail          `json:"detail"`
}

// Detail is how to address a resource in calls, and what its copy has to be like.
type Detail struct {
	ID             string   `json:"id,omitempty"` // as AWS's calls want it; the ARN is the resource's name
	Members        []string `json:"members,omitempty"`
	SecurityGroups []string `json:"security_groups,omitempty"`
	VPC            string   `json:"vpc,omitempty"` // empty if it could not be read
	UserGroups     []string `json:"user_groups,omitempty"`
	ParameterGroup string   `json:"parameter_group,omitempty"`
	Shards         int      `json:"shards,omitempty"`
	// Config has a short hash of each part of how the cache is set up, by the name of AWS's field: tags, members and the
	// rules of security groups too, and nothing that changes by itself (states, roles of nodes, snapshots). It is nil if a
	// part could not be read: such a cache must not be changed, since nobody could tell whether it is still the one that
	// was decided on.
	Config Config `json:"config,omitempty"`
}

// Config is the hashes of a configuration's parts.
type Config map[string]string

// Sum is one hash of all parts; empty for none.
func (c Config) Sum() string {
	if len(c) == 0 {
		return ""
	}
	return hashOf(c)
}

// Differs lists the parts that differ between two configurations, sorted.
func (c Config) Differs(other Config) []string {
	var out []string
	for name, h := range c {
		if other[name] != h {
			out = append(out, name)
		}
	}
	for name := range other {
		if _, ok := c[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// configOf hashes each field of a type of the SDK, and adds what is known of tags and ingress; it is nil if that is not
// known.
func configOf(r *model.Resource, described any) Config {
	tags, tagsKnown := model.Tags.Of(r).Get()
	ingress, ingressKnown := model.IngressRules.Of(r).Get()
	if !tagsKnown || !ingressKnown {
		return nil
	}
	src, err := json.Marshal(described)
	if err != nil {
		panic("BUG: a configuration has no JSON form: " + err.Error())
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(src, &fields); err != nil {
		panic("BUG: a configuration is no object: " + err.Error())
	}
	c := Config{"Tags": short(hashOf(tags)), "Ingress": short(hashOf(ingress))}
	for name, value := range fields {
		if v := string(value); v != "null" && v != `""` {
			c[name] = short(hashOf(value))
		}
	}
	return c
}

func hashOf(v any) string {
	src, err := json.Marshal(v)
	if err != nil {
		panic("BUG: a configuration has no JSON form: " + err.Error())
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// short is enough to see a change: who could make two configurations of the same 64 bits can change the cache anyway.
func short(hash string) string { return hash[:16] }

// builder fills one resource. call is the call that its own fields came from.
type builder struct {
	r    *model.Resource
	call string
}

func newBuilder(s *Session, kind model.Kind, name, call string) *builder {
	return &builder{model.NewResource(model.ID{Target: model.AWS, Kind: kind, Account: s.Account, Region: s.Region, Name: name}, model.Source{}), call}
}

func (b *builder) from(field string) model.Source { return model.Source{Setting: b.call + "." + field} }

const leftOut = "AWS left it out of its answer"

// set sets a fact that AWS may have left out.
func set[T any](b *builder, f model.Fact[T], v *T, field string) {
	if v == nil {
		f.SetUnknown(b.r, leftOut, b.from(field))
		return
	}
	f.Set(b.r, *v, b.from(field))
}

// setText is set for enumerations and for names, of which AWS has no empty ones.
func setText(b *builder, f model.Fact[string], v, field string) {
	if v == "" {
		f.SetUnknown(b.r, leftOut, b.from(field))
		return
	}
	f.Set(b.r, v, b.from(field))
}

func setNumber(b *builder, f model.Fact[int64], v *int32, field string) {
	if v == nil {
		f.SetUnknown(b.r, leftOut, b.from(field))
		return
	}
	f.Set(b.r, int64(*v), b.from(field))
}

// unknown says of facts that a call failed that they need.
func (b *builder) unknown(call string, err error, facts ...model.AnyFact) {
	for _, f := range facts {
		f.SetUnknown(b.r, reason(call, err), model.Source{Setting: call})
	}
}

func text(p *string) string { return aws.ToString(p) }
