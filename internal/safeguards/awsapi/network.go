package awsapi

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// What EC2 tells of networks, as far as safeguards ask.

type securityGroup struct {
	ID      string       `xml:"groupId"`
	VPC     string       `xml:"vpcId"`
	Ingress []permission `xml:"ipPermissions>item"`
	Egress  []permission `xml:"ipPermissionsEgress>item"`
}

type permission struct {
	Protocol string   `xml:"ipProtocol"`
	From     *int64   `xml:"fromPort"`
	To       *int64   `xml:"toPort"`
	CIDRs    []string `xml:"ipRanges>item>cidrIp"`
	CIDRs6   []string `xml:"ipv6Ranges>item>cidrIpv6"`
	Groups   []string `xml:"groups>item>groupId"`
	Prefixes []string `xml:"prefixListIds>item>prefixListId"`
}

// rules are the permission's sources, one by one. A prefix list stays one: whose ranges are in it is another call.
func (p *permission) rules(group string) []model.Ingress {
	base := model.Ingress{Group: group, Protocol: p.Protocol, ToPort: 65535}
	if p.Protocol != "-1" && p.From != nil && p.To != nil {
		base.FromPort, base.ToPort = *p.From, *p.To
	}
	var out []model.Ingress
	add := func(set func(*model.Ingress)) {
		rule := base
		set(&rule)
		out = append(out, rule)
	}
	for _, cidr := range slices.Concat(p.CIDRs, p.CIDRs6) {
		add(func(r *model.Ingress) { r.CIDR = cidr })
	}
	for _, id := range p.Groups {
		add(func(r *model.Ingress) { r.Source = id })
	}
	for _, id := range p.Prefixes {
		add(func(r *model.Ingress) { r.Prefix = id })
	}
	return out
}

type subnet struct {
	ID  string `xml:"subnetId"`
	VPC string `xml:"vpcId"`
}

type routeTable struct {
	VPC    string `xml:"vpcId"`
	Routes []struct {
		CIDR    string `xml:"destinationCidrBlock"`
		CIDR6   string `xml:"destinationIpv6CidrBlock"`
		Gateway string `xml:"gatewayId"`
	} `xml:"routeSet>item"`
	Associations []struct {
		Main   bool   `xml:"main"`
		Subnet string `xml:"subnetId"`
	} `xml:"associationSet>item"`
}

// public tells a table with a default route to an internet gateway.
func (t *routeTable) public() bool {
	for _, r := range t.Routes {
		if (r.CIDR == "0.0.0.0/0" || r.CIDR6 == "::/0") && len(r.Gateway) > 4 && r.Gateway[:4] == "igw-" {
			return true
		}
	}
	return false
}

// ec2Pages reads one kind of EC2's lists; in is what the first page is asked with too.
func ec2Pages[R, T any](s *Session, action string, in url.Values, size int, items func(*R) ([]T, string)) fetch[T] {
	return func(ctx context.Context, from *string) ([]T, *string, error) {
		ask := url.Values{}
		for name, v := range in {
			ask[name] = v
		}
		if size > 0 {
			ask.Set("MaxResults", strconv.Itoa(size))
		}
		if from != nil {
			ask.Set("NextToken", *from)
		}
		var reply R
		if err := s.raw.ec2(ctx, action, ask, &reply); err != nil {
			return nil, nil, err
		}
		list, next := items(&reply)
		return list, &next, nil
	}
}

type securityGroupsReply struct {
	Groups []securityGroup `xml:"securityGroupInfo>item"`
	Next   string          `xml:"nextToken"`
}

// securityGroups reads all security groups of the region: one list instead of a call for each cache.
func (s *Session) securityGroups(ctx context.Context) (map[string]securityGroup, error) {
	list, err := all(ctx, ec2Pages(s, "DescribeSecurityGroups", nil, 1000,
		func(r *securityGroupsReply) ([]securityGroup, string) { return r.Groups, r.Next }))
	if err != nil {
		return nil, err
	}
	out := make(map[string]securityGroup, len(list))
	for _, g := range list {
		out[g.ID] = g
	}
	return out, nil
}

// securityGroupsNamed reads some security groups, for the look at one cache.
func (s *Session) securityGroupsNamed(ctx context.Context, ids []string) (map[string]securityGroup, error) {
	in := url.Values{}
	for i, id := range ids {
		in.Set(fmt.Sprintf("GroupId.%d", i+1), id)
	}
	var reply securityGroupsReply
	if err := s.raw.ec2(ctx, "DescribeSecurityGroups", in, &reply); err != nil {
		return nil, err
	}
	out := map[string]securityGroup{}
	for _, g := range reply.Groups {
		out[g.ID] = g
	}
	return out, nil
}

type subnetsReply struct {
	Subnets []subnet `xml:"subnetSet>item"`
	Next    string   `xml:"nextToken"`
}

type routeTablesReply struct {
	Tables []routeTable `xml:"routeTableSet>item"`
	Next   string       `xml:"nextToken"`
}

// publicSubnets tells of each subnet whether the internet has a way in. A subnet without a table of its own has its
// VPC's main table.
func (s *Session) publicSubnets(ctx context.Context) (map[string]bool, error) {
	subnets, err := all(ctx, ec2Pages(s, "DescribeSubnets", nil, 1000,
		func(r *subnetsReply) ([]subnet, string) { return r.Subnets, r.Next }))
	if err != nil {
		return nil, err
	}
	tables, err := all(ctx, ec2Pages(s, "DescribeRouteTables", nil, 100,
		func(r *routeTablesReply) ([]routeTable, string) { return r.Tables, r.Next }))
	if err != nil {
		return nil, err
	}
	main, own := map[string]bool{}, map[string]bool{}
	for _, t := range tables {
		for _, a := range t.Associations {
			if a.Main {
				main[t.VPC] = t.public()
			} else {
				own[a.Subnet] = t.public()
			}
		}
	}
	public := make(map[string]bool, len(subnets))
	for _, n := range subnets {
		isPublic, has := own[n.ID]
		if !has {
			isPublic = main[n.VPC]
		}
		public[n.ID] = isPublic
	}
	return public, nil
}

type vpcsReply struct {
	VPCs []struct {
		ID      string `xml:"vpcId"`
		Default bool   `xml:"isDefault"`
	} `xml:"vpcSet>item"`
	Next string `xml:"nextToken"`
}

// defaultVPCs is the set of the region's default VPCs: one or none.
func (s *Session) defaultVPCs(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	_, err := all(ctx, ec2Pages(s, "DescribeVpcs", nil, 1000, func(r *vpcsReply) ([]string, string) {
		for _, v := range r.VPCs {
			out[v.ID] = v.Default
		}
		return nil, r.Next
	}))
	return out, err
}
