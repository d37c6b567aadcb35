package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// network is about who can reach the cache at all.
func network() []Rule {
	return []Rule{
		{
			ID: "NET-01", Title: "The internet cannot reach the cache's port", Severity: model.Critical,
			Citations: []string{"164.312(e)(1)", "164.312(a)(1)"}, Controls: []string{"AC-3", "SC-7"},
			Why:   "An open port is found within minutes.",
			On:    []Scope{managed(caches()...)},
			Reads: []model.AnyFact{model.Port, model.IngressRules}, Remedy: Quarantine, Check: checkIngress,
			Mend: mends(code("take 0.0.0.0/0 and ::/0 out of the security group's ingress; name the clients' security groups instead",
				"take 0.0.0.0/0 and ::/0 out of SecurityGroupIngress; name SourceSecurityGroupId instead"),
				mend(model.AWS, "aws ec2 revoke-security-group-ingress for the rule, then authorize the clients' security groups")),
		},
		{
			ID: "NET-02", Title: "The cache is in private subnets", Severity: model.High,
			Citations: []string{"164.312(e)(1)"}, Controls: []string{"SC-7"},
			Why:   "In a subnet with a route to an internet gateway one wrong security group is enough.",
			On:    []Scope{onAWS(caches()...)},
			Reads: []model.AnyFact{model.PublicSubnets}, Remedy: ReportOnly, Check: checkSubnets,
			Mend: mend(model.AWS, "make a subnet group of subnets without a default route to an internet gateway (NAT is fine), and restore the cache into it"),
		},
		{
			ID: "NET-03", Title: "The cache is in a VPC and subnet group made for it", Severity: model.Medium,
			Citations: []string{"164.312(e)(1)"}, Controls: []string{"SC-7", "CM-6"},
			Why:   "Defaults are shared with everything else that nobody thought about.",
			On:    []Scope{managed(clusters()...)},
			Reads: []model.AnyFact{model.SubnetGroup, model.DefaultVPC, model.LegacySecurityGroups}, Remedy: ReportOnly, Check: checkSubnetGroup,
			Mend: mends(code("set `subnet_group_name` to an aws_elasticache_subnet_group of private subnets", "set `CacheSubnetGroupName` to an AWS::ElastiCache::SubnetGroup of private subnets"),
				mend(model.AWS, "aws elasticache create-cache-subnet-group, and restore the cache into it")),
		},
		{
			ID: "NET-04", Title: "The server listens where its clients are, and nowhere else", Severity: model.High,
			Citations: []string{"164.312(e)(1)"}, Controls: []string{"SC-7", "CM-7"},
			Why:   "A server on all addresses without protected mode is everybody's server.",
			On:    []Scope{server(model.Live), watcher(), ofLethe(model.LetheSettings)},
			Reads: []model.AnyFact{model.Bind, model.ProtectedMode, model.Published}, Remedy: ReportOnly, Check: checkBind,
			Mend: mends(directives("bind 127.0.0.1 -::1", "protected-mode yes"), map[model.Target]string{
				model.Kubernetes: "use a Service of type ClusterIP, no hostPort and no hostNetwork, and `--protected-mode yes` with users",
				model.Compose:    "use `expose:` in place of `ports:`, or publish on \"127.0.0.1:6379:6379\"",
				model.Lethe:      "set `listen` to the address that clients use, and leave `protected_mode` on",
			}),
		},
		{
			ID: "NET-05", Title: "Only the clients' networks may connect", Severity: model.Medium,
			Citations: []string{"164.308(a)(4)"}, Controls: []string{"AC-3", "AC-4", "SC-7"},
			Why:   "A rule as wide as the company lets every laptop of the company in.",
			On:    []Scope{managed(caches()...)},
			Reads: []model.AnyFact{model.Port, model.IngressRules}, Remedy: ReportOnly, Check: checkWidth,
			Params: []Param{{"ipv4_bits", "shortest prefix of an IPv4 network that may connect", int64(24)}, {"ipv6_bits", "the same for IPv6", int64(64)}},
			Mend: mends(code("use `security_groups` of the clients in the ingress, or networks of /24 and smaller", "use SourceSecurityGroupId, or networks of /24 and smaller"),
				mend(model.AWS, "aws ec2 authorize-security-group-ingress --source-group CLIENTS, then revoke the wide rule")),
		},
		{
			ID: "NET-06", Title: "The port is not the default", Severity: model.Low,
			Citations: []string{}, Controls: []string{"CM-6"},
			Why:   "It stops nobody who looks; it keeps the logs free of those who only try 6379.",
			On:    []Scope{managed(clusters()...), server(model.Live), ofLethe(model.Server, model.LetheSettings)},
			Reads: []model.AnyFact{model.Port, model.TLSPort}, Remedy: ReportOnly, Check: checkDefaultPort,
			Mend: mends(directives("tls-port 6390"), code("set `port = 6390`", "set `Port: 6390`"), mend(model.AWS, "it cannot be changed: restore a snapshot into a cache with --port"),
				mend(model.Lethe, "set `listen` to another port, such as 6380")),
		},
	}
}

// reachable returns the ingress rules that lead to the cache's port. Of a port that is not known all of them may.
func reachable(c *Case) (in []model.Ingress, ok bool) {
	port, portKnown := note(c, model.Port)
	all, ok := get(c, model.IngressRules)
	if !ok {
		return nil, false
	}
	for _, i := range all {
		tcp := i.Protocol == "tcp" || i.Protocol == "6" || i.Protocol == "-1" || i.Protocol == "all" || i.Protocol == ""
		if tcp && (!portKnown || i.Protocol == "-1" || (i.FromPort <= port && port <= i.ToPort)) {
			in = append(in, i)
		}
	}
	return in, true
}

func checkIngress(c *Case) Verdict {
	in, ok := reachable(c)
	if !ok {
		return c.unknown()
	}
	unknown := ""
	for _, i := range in {
		switch {
		case i.CIDR != "":
			n, err := netip.ParsePrefix(i.CIDR)
			if err != nil {
				unknown = "an address range cannot be understood"
			} else if isPublic(n) {
				return c.fail("security group %s lets %s in to the cache's port", i.Group, i.CIDR)
			}
		case i.Unknown != "":
			unknown = i.Unknown
		case i.Prefix != "":
			unknown = "the addresses of a prefix list could not be read"
		}
	}
	if unknown != "" {
		return c.undecided("who may connect is not known: %s", unknown)
	}
	return c.pass("no public address may connect to the cache's port")
}

// isPublic says whether a range has addresses outside the private ones (RFC 1918, 6598, 4193, 3927, 4291).
func isPublic(n netip.Prefix) bool {
	private := []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}
	return !slices.ContainsFunc(private, func(p string) bool {
		whole := netip.MustParsePrefix(p)
		return whole.Bits() <= n.Bits() && whole.Contains(n.Addr())
	})
}

func checkSubnets(c *Case) Verdict {
	public, ok := get(c, model.PublicSubnets)
	switch {
	case !ok:
		return c.unknown()
	case len(public) > 0:
		return c.fail("subnet %s has a default route to an internet gateway", public[0])
	default:
		return c.pass("no subnet has a default route to an internet gateway")
	}
}

func checkSubnetGroup(c *Case) Verdict {
	if c.r.Has(model.LegacySecurityGroups) {
		if legacy, ok := get(c, model.LegacySecurityGroups); ok && len(legacy) > 0 {
			return c.fail("it uses a cache security group, from before VPC")
		}
	}
	group, ok := get(c, model.SubnetGroup)
	switch {
	case ok && group == "":
		return c.fail("no subnet group is named, so it is in the default VPC")
	case ok && group == "default":
		return c.fail("the subnet group is the default one")
	}
	if c.r.Has(model.DefaultVPC) {
		if vpc, known := get(c, model.DefaultVPC); known && vpc {
			return c.fail("it is in the default VPC")
		}
	}
	if c.gap != nil {
		return c.unknown()
	}
	return c.pass("it has a subnet group of its own")
}

func checkBind(c *Case) Verdict {
	if c.r.Has(model.Published) {
		if out, ok := get(c, model.Published); ok && len(out) > 0 {
			return c.fail("its port can be reached from outside: %s", out[0])
		}
	}
	// In a container the address is the container's own: what is published decides there.
	container := c.target() == model.Kubernetes || c.target() == model.Compose
	if !container {
		addresses, ok := get(c, model.Bind)
		if ok && slices.ContainsFunc(addresses, isAnyAddress) {
			return c.fail("it listens on all addresses")
		}
	}
	protected, ok := get(c, model.ProtectedMode)
	switch {
	case ok && !protected:
		return c.fail("protected mode is off")
	case c.gap != nil:
		return c.unknown()
	default:
		return c.pass("it listens on chosen addresses, and protected mode is on")
	}
}

func isAnyAddress(a string) bool {
	a = strings.TrimPrefix(a, "-")
	return a == "0.0.0.0" || a == "*" || a == "::" || a == "::*"
}

func checkWidth(c *Case) Verdict {
	in, ok := reachable(c)
	if !ok {
		return c.unknown()
	}
	unknown := ""
	for _, i := range in {
		switch {
		case i.CIDR != "":
			n, err := netip.ParsePrefix(i.CIDR)
			if err != nil {
				unknown = "an address range cannot be understood"
				continue
			}
			least := param[int64](c, "ipv4_bits")
			if n.Addr().Is6() {
				least = param[int64](c, "ipv6_bits")
			}
			if int64(n.Bits()) < least {
				return c.fail("security group %s lets all of %s in, wider than /%d", i.Group, i.CIDR, least)
			}
		case i.Unknown != "":
			unknown = i.Unknown
		case i.Prefix != "":
			unknown = "the addresses of a prefix list could not be read"
		}
	}
	if unknown != "" {
		return c.undecided("who may connect is not known: %s", unknown)
	}
	return c.pass("%s may connect, none of them wide", count(len(in), "group or network"))
}

func checkDefaultPort(c *Case) Verdict {
	fact := model.Port
	if c.target() == model.Lethe || c.kind() == model.Server && !is(c, model.TLSPort, 0) {
		fact = model.TLSPort
	}
	port, ok := get(c, fact)
	switch {
	case !ok:
		return c.unknown()
	case port == 6379 || port == 11211:
		return c.warn("the port is the default, %d", port)
	default:
		return c.pass("the port is %d", port)
	}
}
