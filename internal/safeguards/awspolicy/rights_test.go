package awspolicy_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lethe-cache/lethe/internal/safeguards/awspolicy"
)

// What each role may do and may not, as IAM decides it.
func TestRights(t *testing.T) {
	t.Parallel()
	scan, remediate, create := parse(t, awspolicy.Scan()), parse(t, awspolicy.Remediate()), parse(t, awspolicy.Create())
	const (
		group = "arn:aws:elasticache:eu-central-1:111111111111:replicationgroup:cache"
		less  = "arn:aws:elasticache:eu-central-1:111111111111:serverlesscache:less"
		sg    = "arn:aws:ec2:eu-central-1:111111111111:security-group/sg-1"
		queue = "arn:aws:sqs:eu-central-1:111111111111:"
	)
	f := func(want string, role document, action, resource string, context ...string) {
		t.Helper()
		r := request{action: action, resource: resource, context: map[string][]string{}}
		for i := 0; i < len(context); i += 2 {
			r.context[context[i]] = append(r.context[context[i]], context[i+1])
		}
		if have := evaluate(t, r, role); have != want {
			t.Errorf("%s on %s with %v: %s, want %s", action, resource, context, have, want)
		}
	}
	const never = "implicit deny"
	f("allow", scan, "elasticache:DescribeReplicationGroups", group)
	f("allow", scan, "memorydb:ListTags", group)
	for _, action := range []string{"elasticache:ModifyReplicationGroup", "elasticache:DeleteReplicationGroup", "elasticache:AddTagsToResource", "elasticache:Connect",
		"memorydb:UpdateCluster", "ec2:CreateSecurityGroup", "sqs:ReceiveMessage", "kms:Decrypt"} {
		f(never, scan, action, group)
	}

	f("allow", remediate, "elasticache:ModifyReplicationGroup", group)
	f("allow", remediate, "elasticache:DeleteReplicationGroup", group)
	f("allow", remediate, "elasticache:ModifyReplicationGroup", group, "aws:ResourceTag/owner", "team")
	excluded := []string{"aws:ResourceTag/lethe:exclusion:owner", "team"}
	for _, action := range []string{"elasticache:ModifyReplicationGroup", "elasticache:DeleteReplicationGroup", "elasticache:BatchApplyUpdateAction", "elasticache:DeleteCacheCluster",
		"elasticache:ModifyServerlessCache", "elasticache:DeleteServerlessCache", "memorydb:UpdateCluster", "memorydb:DeleteCluster"} {
		f("deny by NotWhatIsExcluded", remediate, action, group, excluded...)
	}
	f("allow", remediate, "elasticache:AddTagsToResource", group, "aws:TagKeys", "lethe:copy-of")
	f("deny by LetheExcludesNothing", remediate, "elasticache:AddTagsToResource", group, "aws:TagKeys", "lethe:copy-of", "aws:TagKeys", "lethe:exclusion:owner")
	f(never, remediate, "elasticache:RemoveTagsFromResource", group, "aws:TagKeys", "lethe:exclusion:owner")
	f("allow", remediate, "ec2:CreateTags", sg, "ec2:CreateAction", "CreateSecurityGroup", "aws:RequestTag/lethe", "quarantine")
	f(never, remediate, "ec2:CreateTags", sg, "aws:RequestTag/lethe", "quarantine")
	f("allow", remediate, "ec2:RevokeSecurityGroupEgress", sg, "aws:ResourceTag/lethe", "quarantine")
	f(never, remediate, "ec2:RevokeSecurityGroupEgress", sg)
	f(never, remediate, "ec2:AuthorizeSecurityGroupIngress", sg, "aws:ResourceTag/lethe", "quarantine")
	f("allow", remediate, "sqs:ReceiveMessage", queue+"lethe-events")
	f(never, remediate, "sqs:ReceiveMessage", queue+"payments")
	f("allow", remediate, "kms:CreateGrant", "key", "kms:GrantIsForAWSResource", "true", "kms:ViaService", "elasticache.eu-central-1.amazonaws.com")
	f(never, remediate, "kms:CreateGrant", "key", "kms:GrantIsForAWSResource", "true", "kms:ViaService", "rds.eu-central-1.amazonaws.com")
	f(never, remediate, "kms:Decrypt", "key")
	f(never, remediate, "elasticache:ModifyUser", group)
	f(never, remediate, "iam:PassRole", group)

	encrypted := []string{"elasticache:AtRestEncryptionEnabled", "true", "elasticache:TransitEncryptionEnabled", "true"}
	f("allow", create, "elasticache:CreateReplicationGroup", group, encrypted...)
	f("deny by RefuseWithoutEncryptionAtRest", create, "elasticache:CreateReplicationGroup", group, "elasticache:AtRestEncryptionEnabled", "false", "elasticache:TransitEncryptionEnabled", "true")
	f("deny by RefuseWithoutEncryptionInTransit", create, "elasticache:CreateReplicationGroup", group, "elasticache:AtRestEncryptionEnabled", "true", "elasticache:TransitEncryptionEnabled", "false")
	f("deny by RefuseMemcached", create, "elasticache:CreateServerlessCache", less, "elasticache:EngineType", "memcached")
	f("allow", create, "elasticache:CreateServerlessCache", less, "elasticache:EngineType", "valkey")
	f("allow", create, "elasticache:AddTagsToResource", group, "aws:TagKeys", "owner", "aws:TagKeys", "data-class")
	const others = "deny by ExclusionsAreForOthersToDecide"
	for _, key := range []string{"lethe:exclusion:owner", "lethe:exclusion:no-phi", "LETHE:Exclusion:owner", "Lethe:exclusion:anything"} {
		f(others, create, "elasticache:AddTagsToResource", group, "aws:TagKeys", "owner", "aws:TagKeys", key)
		f(others, create, "elasticache:RemoveTagsFromResource", group, "aws:TagKeys", key)
		f(others, create, "elasticache:CreateReplicationGroup", group, append([]string{"aws:TagKeys", key}, encrypted...)...)
		f(others, create, "elasticache:CreateServerlessCache", less, "aws:TagKeys", key)
		f(others, create, "memorydb:TagResource", group, "aws:TagKeys", key)
	}
	f(never, create, "elasticache:DeleteReplicationGroup", group)
	f(never, create, "elasticache:CreateCacheCluster", group)
}

// Whoever has both policies has the denials of both.
func TestDenyBeatsAllow(t *testing.T) {
	t.Parallel()
	remediate, create := parse(t, awspolicy.Remediate()), parse(t, awspolicy.Create())
	r := request{"elasticache:ModifyReplicationGroup", "arn:x", map[string][]string{"aws:ResourceTag/lethe:exclusion:owner": {"team"}}}
	if have := evaluate(t, r, create); have != "allow" {
		t.Errorf("those who create caches may not change one: %s", have)
	}
	for _, both := range [][]document{{create, remediate}, {remediate, create}} {
		if have := evaluate(t, r, both...); have != "deny by NotWhatIsExcluded" {
			t.Errorf("with both policies: %s", have)
		}
	}
}

// elsewhere are the actions of services whose clients are not built in, from the service authorization reference.
func elsewhere() map[string]string {
	return map[string]string{
		"cloudtrail": "DescribeTrails GetEventSelectors GetTrailStatus",
		"ec2":        "CreateSecurityGroup CreateTags DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeVpcs RevokeSecurityGroupEgress",
		"kms":        "CreateGrant Decrypt DescribeKey GenerateDataKey GetKeyRotationStatus",
		"logs": "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy " +
			"UpdateLogDelivery",
	}
}

// Every action is one of AWS's API: of its client where that is built in. IAM takes a misspelt action and never matches it.
func TestActionsExist(t *testing.T) {
	t.Parallel()
	clients := map[string]reflect.Type{
		"elasticache": reflect.TypeFor[*elasticache.Client](), "memorydb": reflect.TypeFor[*memorydb.Client](), "sqs": reflect.TypeFor[*sqs.Client](),
	}
	exists := func(action string) bool {
		service, verb, _ := strings.Cut(action, ":")
		prefix, wild := strings.CutSuffix(verb, "*")
		if c := clients[service]; c != nil {
			for m := range c.Methods() {
				if m.Name == verb || wild && strings.HasPrefix(m.Name, prefix) {
					return true
				}
			}
			return false
		}
		return contains(strings.Fields(elsewhere()[service]), verb)
	}
	for name, src := range map[string]string{"scan": awspolicy.Scan(), "remediate": awspolicy.Remediate(), "create": awspolicy.Create()} {
		p := parse(t, src)
		seen := map[string]bool{}
		for _, s := range p.Statement {
			if s.Sid == "" || seen[s.Sid] || s.Effect != "Allow" && s.Effect != "Deny" {
				t.Errorf("%s: a statement has the Sid %q and the effect %q", name, s.Sid, s.Effect)
			}
			seen[s.Sid] = true
			for _, a := range texts(t, s.Action) {
				if !exists(a) {
					t.Errorf("%s: %s: AWS has no action %s", name, s.Sid, a)
				}
			}
			for _, r := range texts(t, s.Resource) {
				if r != "*" && len(strings.Split(r, ":")) < 6 {
					t.Errorf("%s: %s: %s is no ARN", name, s.Sid, r)
				}
			}
		}
	}
}

// conditionKeys are those that AWS knows for the actions of a service: the service authorization reference has the list, and
// the global ones with their tags are after it.
func conditionKeys() map[string][]string {
	return map[string][]string{
		"elasticache": {"elasticache:AtRestEncryptionEnabled", "elasticache:TransitEncryptionEnabled", "elasticache:EngineType", "aws:TagKeys", "aws:ResourceTag/", "aws:RequestTag/"},
		"memorydb":    {"memorydb:TLSEnabled", "aws:TagKeys", "aws:ResourceTag/", "aws:RequestTag/"},
		"ec2":         {"ec2:CreateAction", "aws:ResourceTag/", "aws:RequestTag/", "aws:TagKeys"},
		"kms":         {"kms:GrantIsForAWSResource", "kms:ViaService"},
	}
}

// A condition on a key that a call does not have is never met: a misspelt one would deny nothing.
func TestConditionKeysExist(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{"remediate": awspolicy.Remediate(), "create": awspolicy.Create()} {
		for _, s := range parse(t, src).Statement {
			for _, block := range s.Condition {
				for key := range block.(map[string]any) {
					for _, a := range texts(t, s.Action) {
						service, _, _ := strings.Cut(a, ":")
						known := false
						for _, k := range conditionKeys()[service] {
							known = known || key == k || strings.HasSuffix(k, "/") && strings.HasPrefix(key, k)
						}
						if !known {
							t.Errorf("%s: %s: %s has no condition key %s", name, s.Sid, a, key)
						}
					}
				}
			}
		}
	}
}
