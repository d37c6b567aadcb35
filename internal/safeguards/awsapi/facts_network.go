package awsapi

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// place is where a cache is in the network.
type place struct {
	groups  []string // security groups
	vpc     string
	subnets []string
	err     error  // why vpc and subnets are not known
	call    string // that would have told
}

// setNetwork sets what lets clients in. It is all or nothing: a cache of whose security groups one could not be read can
// be open to the world.
func (a *around) setNetwork(ctx context.Context, b *builder, p place) {
	a.setIngress(ctx, b, p.groups)
	if p.err != nil {
		b.unknown(p.call, p.err, model.PublicSubnets, model.DefaultVPC)
		return
	}
	public, err := a.publicSubnets(ctx)
	if err != nil {
		b.unknown("DescribeRouteTables", err, model.PublicSubnets)
	} else {
		setPublic(b, p.subnets, public)
	}
	defaults, err := a.defaultVPCs(ctx)
	isDefault, found := defaults[p.vpc]
	switch {
	case err != nil:
		b.unknown("DescribeVpcs", err, model.DefaultVPC)
	case !found:
		model.DefaultVPC.SetUnknown(b.r, "DescribeVpcs does not have its VPC", model.Source{Setting: "DescribeVpcs"})
	default:
		model.DefaultVPC.Set(b.r, isDefault, model.Source{Setting: "DescribeVpcs.IsDefault"})
	}
}

func (a *around) setIngress(ctx context.Context, b *builder, ids []string) {
	at := model.Source{Setting: "DescribeSecurityGroups.IpPermissions"}
	if len(ids) == 0 {
		model.IngressRules.SetUnknown(b.r, "AWS names no security group of it", at)
		return
	}
	groups, err := a.groups(ctx)
	if err != nil {
		b.unknown("DescribeSecurityGroups", err, model.IngressRules)
		return
	}
	rules := []model.Ingress{}
	for _, id := range ids {
		g, ok := groups[id]
		if !ok {
			model.IngressRules.SetUnknown(b.r, "DescribeSecurityGroups does not have one of its groups", at)
			return
		}
		for i := range g.Ingress {
			rules = append(rules, g.Ingress[i].rules(id)...)
		}
	}
	slices.SortFunc(rules, func(x, y model.Ingress) int { return cmp.Compare(x.String(), y.String()) }) // EC2 has no order
	model.IngressRules.Set(b.r, rules, at)
}

func setPublic(b *builder, subnets []string, public map[string]bool) {
	at := model.Source{Setting: "DescribeRouteTables.Routes"}
	out := []string{}
	for _, id := range subnets {
		isPublic, found := public[id]
		if !found {
			model.PublicSubnets.SetUnknown(b.r, "DescribeSubnets does not have one of its subnets", at)
			return
		}
		if isPublic {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	model.PublicSubnets.Set(b.r, out, at)
}

// setParameters sets what comes from the parameter group.
func setParameters(b *builder, held map[string]string, err error) {
	const call = "DescribeCacheParameters"
	if err != nil {
		b.unknown(call, err, model.EvictionPolicy, model.IdleTimeout, model.Keepalive)
		return
	}
	at := func(name string) model.Source { return model.Source{Setting: call + " " + name} }
	if v := held["maxmemory-policy"]; v != "" {
		model.EvictionPolicy.Set(b.r, v, at("maxmemory-policy"))
	} else {
		model.EvictionPolicy.SetUnknown(b.r, "the parameter group does not have it", at("maxmemory-policy"))
	}
	for _, p := range []struct {
		fact model.Fact[int64]
		name string
	}{{model.IdleTimeout, "timeout"}, {model.Keepalive, "tcp-keepalive"}} {
		if n, err := strconv.ParseInt(held[p.name], 10, 64); err == nil {
			p.fact.Set(b.r, n, at(p.name))
		} else {
			p.fact.SetUnknown(b.r, "the parameter group does not have it", at(p.name))
		}
	}
}

// setKey sets what is known of the cache's KMS key; an empty ARN is AWS's own key.
func (a *around) setKey(ctx context.Context, b *builder, arn string) {
	model.KMSKey.Set(b.r, arn, b.from("KmsKeyId"))
	if arn == "" {
		return
	}
	k, err := a.key(ctx, arn)
	if err != nil {
		b.unknown("DescribeKey", err, model.KMSKeyState, model.KMSKeyRotation)
		return
	}
	if k.state == "" {
		model.KMSKeyState.SetUnknown(b.r, leftOut, model.Source{Setting: "DescribeKey.KeyState"})
	} else {
		model.KMSKeyState.Set(b.r, k.state, model.Source{Setting: "DescribeKey.KeyState"})
	}
	if k.rotationErr != nil {
		b.unknown("GetKeyRotationStatus", k.rotationErr, model.KMSKeyRotation)
		return
	}
	model.KMSKeyRotation.Set(b.r, k.rotated, model.Source{Setting: "GetKeyRotationStatus.KeyRotationEnabled"})
}
