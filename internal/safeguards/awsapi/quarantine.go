package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// QuarantineName is the name of the security group that lets nothing in or out.
const QuarantineName = "lethe-quarantine"

// ErrQuarantineOpen says that the security group of that name lets traffic through: somebody changed it, and a cache put
// into it would not be out of reach.
var ErrQuarantineOpen = errors.New("the security group " + QuarantineName + " has rules")

// Quarantine gives the VPC's security group that lets nothing in or out, and makes it if it is not there. It is the only
// part of this package that changes anything; remedy calls it with the credentials of remediation. A group with rules
// that a new group does not have is left alone and an error.
func (s *Session) Quarantine(ctx context.Context, vpc string) (string, error) {
	g, err := s.quarantineOf(ctx, vpc)
	if err != nil {
		return "", err
	}
	if g == nil {
		if err := s.createQuarantine(ctx, vpc); err != nil {
			return "", err
		}
		if g, err = s.quarantineOf(ctx, vpc); err != nil {
			return "", err
		}
	}
	if g == nil || len(g.Ingress) > 0 {
		return "", ErrQuarantineOpen
	}
	if len(g.Egress) == 0 {
		return g.ID, nil
	}
	if err := s.revokeEgress(ctx, g); err != nil {
		return "", err
	}
	g, err = s.quarantineOf(ctx, vpc) // what counts is what it is, not what was asked for
	if err == nil && (g == nil || len(g.Ingress)+len(g.Egress) > 0) {
		err = ErrQuarantineOpen
	}
	if err != nil {
		return "", err
	}
	return g.ID, nil
}

func (s *Session) quarantineOf(ctx context.Context, vpc string) (*securityGroup, error) {
	in := url.Values{
		"Filter.1.Name": {"group-name"}, "Filter.1.Value.1": {QuarantineName}, "Filter.2.Name": {"vpc-id"}, "Filter.2.Value.1": {vpc},
	}
	var reply securityGroupsReply
	if err := s.raw.ec2(ctx, "DescribeSecurityGroups", in, &reply); err != nil {
		return nil, err
	}
	if len(reply.Groups) == 0 {
		return nil, nil
	}
	return &reply.Groups[0], nil
}

func (s *Session) createQuarantine(ctx context.Context, vpc string) error {
	var made struct{}
	err := s.raw.ec2(ctx, "CreateSecurityGroup", url.Values{
		"GroupName": {QuarantineName}, "GroupDescription": {"Lets nothing in or out: caches that are not fit for PHI"}, "VpcId": {vpc},
		// The tag is what the policy for remediation knows it by: the right to change security groups ends with it.
		"TagSpecification.1.ResourceType": {"security-group"},
		"TagSpecification.1.Tag.1.Key":    {"lethe"}, "TagSpecification.1.Tag.1.Value": {"quarantine"},
	}, &made)
	if err != nil && Code(err) == "InvalidGroup.Duplicate" {
		return nil // another run was faster, or an attempt of ours was done and its answer lost
	}
	return err
}

// revokeEgress takes away what a new group lets out.
func (s *Session) revokeEgress(ctx context.Context, g *securityGroup) error {
	in := url.Values{"GroupId": {g.ID}}
	for i, p := range g.Egress {
		prefix := fmt.Sprintf("IpPermissions.%d.", i+1)
		if p.Protocol != "-1" {
			return ErrQuarantineOpen
		}
		in.Set(prefix+"IpProtocol", p.Protocol)
		for j, cidr := range p.CIDRs {
			in.Set(fmt.Sprintf("%sIpRanges.%d.CidrIp", prefix, j+1), cidr)
		}
		for j, cidr := range p.CIDRs6 {
			in.Set(fmt.Sprintf("%sIpv6Ranges.%d.CidrIpv6", prefix, j+1), cidr)
		}
	}
	var done struct{}
	return s.raw.ec2(ctx, "RevokeSecurityGroupEgress", in, &done)
}
