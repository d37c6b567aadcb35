package fakeaws

import (
	"encoding/xml"
	"maps"
	"slices"
)

// network is what EC2 knows.
type network struct {
	groups  map[string]*SecurityGroup
	subnets map[string]Subnet
	vpcs    map[string]bool // by ID: whether it is the default
	made    int
}

func newNetwork() network {
	return network{
		groups: map[string]*SecurityGroup{"sg-cache": {ID: "sg-cache", Name: "cache", VPC: "vpc-1",
			Ingress: []Permission{{Protocol: "tcp", From: 6379, To: 6379, Groups: []Pair{{"sg-app"}}}}, Egress: everywhere()}},
		subnets: map[string]Subnet{"subnet-a": {ID: "subnet-a", VPC: "vpc-1"}, "subnet-b": {ID: "subnet-b", VPC: "vpc-1"}},
		vpcs:    map[string]bool{"vpc-1": false},
	}
}

func everywhere() []Permission { return []Permission{{Protocol: "-1", CIDRs: []Range{{"0.0.0.0/0"}}}} }

// SecurityGroup is one of EC2's.
type SecurityGroup struct {
	XMLName xml.Name     `xml:"item"`
	ID      string       `xml:"groupId"`
	Name    string       `xml:"groupName"`
	VPC     string       `xml:"vpcId"`
	Ingress []Permission `xml:"ipPermissions>item"`
	Egress  []Permission `xml:"ipPermissionsEgress>item"`
}

// Permission is a rule of a security group.
type Permission struct {
	Protocol string      `xml:"ipProtocol"`
	From     int         `xml:"fromPort"`
	To       int         `xml:"toPort"`
	CIDRs    []Range     `xml:"ipRanges>item"`
	CIDRs6   []Range6    `xml:"ipv6Ranges>item"`
	Groups   []Pair      `xml:"groups>item"`
	Prefixes []PrefixRef `xml:"prefixListIds>item"`
}

// Range is a range of IPv4 addresses.
type Range struct {
	CIDR string `xml:"cidrIp"`
}

// Range6 is a range of IPv6 addresses.
type Range6 struct {
	CIDR string `xml:"cidrIpv6"`
}

// Pair is another security group as a source.
type Pair struct {
	Group string `xml:"groupId"`
}

// PrefixRef is a prefix list as a source.
type PrefixRef struct {
	ID string `xml:"prefixListId"`
}

// Subnet is one of EC2's. Public has a default route to an internet gateway.
type Subnet struct {
	XMLName xml.Name `xml:"item"`
	ID      string   `xml:"subnetId"`
	VPC     string   `xml:"vpcId"`
	Public  bool     `xml:"-"`
}

// AddSecurityGroup makes or replaces a security group of vpc-1, or of the VPC that it names.
func (r *Region) AddSecurityGroup(g SecurityGroup) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	if g.VPC == "" {
		g.VPC = "vpc-1"
	}
	r.network.groups[g.ID] = &g
}

// SecurityGroups are copies of the region's security groups.
func (r *Region) SecurityGroups() map[string]SecurityGroup {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	out := map[string]SecurityGroup{}
	for id, g := range r.network.groups {
		out[id] = *g
	}
	return out
}

// AddSubnet makes or replaces a subnet.
func (r *Region) AddSubnet(s Subnet) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.network.subnets[s.ID] = s
}

// SetDefaultVPC says that a VPC is the region's default.
func (r *Region) SetDefaultVPC(id string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.network.vpcs[id] = true
}

// filters are the request's, by name.
func (c *call) filters() map[string][]string {
	out := map[string][]string{}
	for _, f := range c.in.structs("Filter") {
		out[f.text("Name")] = f.texts("Value")
	}
	return out
}

func fits(wanted []string, have string) bool { return wanted == nil || slices.Contains(wanted, have) }

type securityGroupsReply struct {
	Groups []SecurityGroup `xml:"securityGroupInfo>item"`
	Next   string          `xml:"nextToken,omitempty"`
}

func describeSecurityGroups(c *call) (any, *Error) {
	wanted, filters := c.in.texts("GroupId"), c.filters()
	for _, id := range wanted {
		if c.network.groups[id] == nil {
			return nil, &Error{400, "InvalidGroup.NotFound", "A security group does not exist."}
		}
	}
	var list []SecurityGroup
	for _, g := range values(c.network.groups) {
		if fits(wanted, g.ID) && fits(filters["group-name"], g.Name) && fits(filters["vpc-id"], g.VPC) {
			list = append(list, g)
		}
	}
	list, next, err := page(c, list, func(g SecurityGroup) string { return g.ID }, "MaxResults", "NextToken")
	return securityGroupsReply{Groups: list, Next: str(next)}, err
}

type subnetsReply struct {
	Subnets []Subnet `xml:"subnetSet>item"`
	Next    string   `xml:"nextToken,omitempty"`
}

func describeSubnets(c *call) (any, *Error) {
	list, next, err := page(c, slices.Collect(maps.Values(c.network.subnets)), func(s Subnet) string { return s.ID }, "MaxResults", "NextToken")
	return subnetsReply{Subnets: list, Next: str(next)}, err
}

type routeTable struct {
	ID           string        `xml:"routeTableId"`
	VPC          string        `xml:"vpcId"`
	Routes       []route       `xml:"routeSet>item"`
	Associations []association `xml:"associationSet>item"`
}

type route struct {
	CIDR    string `xml:"destinationCidrBlock"`
	Gateway string `xml:"gatewayId"`
	State   string `xml:"state"`
}

type association struct {
	Main   bool   `xml:"main"`
	Subnet string `xml:"subnetId,omitempty"`
}

type routeTablesReply struct {
	Tables []routeTable `xml:"routeTableSet>item"`
	Next   string       `xml:"nextToken,omitempty"`
}

// describeRouteTables gives each VPC a main table without a way out, and one with a way out for its public subnets.
func describeRouteTables(c *call) (any, *Error) {
	var list []routeTable
	for vpc := range c.network.vpcs {
		public := routeTable{ID: "rtb-public-" + vpc, VPC: vpc, Routes: []route{{"0.0.0.0/0", "igw-1", "active"}}}
		for _, s := range c.network.subnets {
			if s.Public && s.VPC == vpc {
				public.Associations = append(public.Associations, association{Subnet: s.ID})
			}
		}
		list = append(list, public, routeTable{
			ID: "rtb-main-" + vpc, VPC: vpc, Routes: []route{{"10.0.0.0/16", "local", "active"}}, Associations: []association{{Main: true}},
		})
	}
	list, next, err := page(c, list, func(t routeTable) string { return t.ID }, "MaxResults", "NextToken")
	return routeTablesReply{Tables: list, Next: str(next)}, err
}

type vpc struct {
	ID      string `xml:"vpcId"`
	Default bool   `xml:"isDefault"`
}

type vpcsReply struct {
	VPCs []vpc  `xml:"vpcSet>item"`
	Next string `xml:"nextToken,omitempty"`
}

func describeVPCs(c *call) (any, *Error) {
	var list []vpc
	for id, isDefault := range c.network.vpcs {
		list = append(list, vpc{id, isDefault})
	}
	list, next, err := page(c, list, func(v vpc) string { return v.ID }, "MaxResults", "NextToken")
	return vpcsReply{VPCs: list, Next: str(next)}, err
}

type createdGroup struct {
	ID string `xml:"groupId"`
}

func createSecurityGroup(c *call) (any, *Error) {
	name, of := c.in.text("GroupName"), c.in.text("VpcId")
	for _, g := range c.network.groups {
		if g.Name == name && g.VPC == of {
			return nil, &Error{400, "InvalidGroup.Duplicate", "The security group exists."}
		}
	}
	c.network.made++
	id := "sg-made-" + string(rune('0'+c.network.made))
	c.network.groups[id] = &SecurityGroup{ID: id, Name: name, VPC: of, Egress: everywhere()}
	return createdGroup{id}, nil
}

type done struct {
	Return bool `xml:"return"`
}

func revokeEgress(c *call) (any, *Error) {
	g := c.network.groups[c.in.text("GroupId")]
	if g == nil {
		return nil, &Error{400, "InvalidGroup.NotFound", "The security group does not exist."}
	}
	for _, p := range c.in.structs("IpPermissions") {
		g.Egress = slices.DeleteFunc(g.Egress, func(x Permission) bool { return x.Protocol == p.text("IpProtocol") })
	}
	return done{true}, nil
}
