package cloudformation

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// Problem is something that kept a part of a template from being understood. The rest was read.
type Problem struct {
	Source model.Source
	Text   string
}

// Is says whether a document is a template.
func Is(doc *yamltree.Node) bool {
	if !doc.At("AWSTemplateFormatVersion").IsNull() {
		return true
	}
	resources := doc.At("Resources")
	if resources == nil || resources.Kind != yamltree.Map {
		return false
	}
	for _, k := range resources.Keys {
		if strings.HasPrefix(resources.Fields[k].At("Type").String(), "AWS::") {
			return true
		}
	}
	return false
}

// Read makes resources of a template. name is how reports call the file.
func Read(name string, doc *yamltree.Node) ([]*model.Resource, []Problem) {
	t := &template{name: name, doc: doc}
	var blocks []declared.Block
	resources := doc.At("Resources")
	if resources != nil {
		for _, id := range resources.Keys {
			if b, ok := t.block(id, resources.Fields[id]); ok {
				blocks = append(blocks, b)
			}
		}
	}
	if !doc.At("Transform").IsNull() && t.expands(doc.At("Transform")) {
		t.problem(doc.At("Transform"), "its transform can add resources, which are not seen")
	}
	return declared.Resources(model.CloudFormation, name, blocks), t.problems
}

type template struct {
	name     string
	doc      *yamltree.Node
	problems []Problem
	depth    int
}

func (t *template) problem(n *yamltree.Node, text string) {
	t.problems = append(t.problems, Problem{t.at(n, ""), text})
}

func (t *template) at(n *yamltree.Node, setting string) model.Source {
	s := model.Source{File: t.name, Setting: setting}
	if n != nil {
		s.Line, s.Column = n.Line, n.Column
	}
	return s
}

// expands says whether a transform is one that makes resources of its own; SAM's and the language extensions' are known
// not to change caches.
func (t *template) expands(n *yamltree.Node) bool {
	known := func(name string) bool {
		return strings.HasPrefix(name, "AWS::Serverless-") || name == "AWS::LanguageExtensions" || name == "AWS::SecretsManager-2020-07-23"
	}
	if n.Kind == yamltree.Scalar {
		return !known(n.String())
	}
	for _, i := range n.List() {
		if !known(i.String()) {
			return true
		}
	}
	return n.Kind == yamltree.Map
}

// block translates a resource into Terraform's words.
func (t *template) block(id string, n *yamltree.Node) (declared.Block, bool) {
	if strings.HasPrefix(id, "Fn::ForEach::") {
		t.problem(n, "resources made by Fn::ForEach are not seen")
		return declared.Block{}, false
	}
	kind := types()[n.At("Type").String()]
	if kind == "" {
		return declared.Block{}, false
	}
	b := declared.Block{Type: kind, Address: id, Source: t.at(n, ""), Args: make(map[string]declared.Value)}
	properties := n.At("Properties")
	if properties == nil {
		return b, true
	}
	for _, key := range properties.Keys {
		if strings.HasPrefix(key, "Fn::") {
			b.Why = "its properties are made by " + key
			continue
		}
		v := t.value(properties.Fields[key])
		v.Source = t.at(properties.Fields[key], key)
		b.Args[property(kind, key)] = translate(kind, key, v)
	}
	if properties.Kind == yamltree.Map {
		return b, true
	}
	b.Why = "its properties are not a map"
	return b, true
}

func types() map[string]string {
	return map[string]string{
		"AWS::ElastiCache::ReplicationGroup": "aws_elasticache_replication_group",
		"AWS::ElastiCache::CacheCluster":     "aws_elasticache_cluster",
		"AWS::ElastiCache::ServerlessCache":  "aws_elasticache_serverless_cache",
		"AWS::ElastiCache::User":             "aws_elasticache_user",
		"AWS::ElastiCache::ParameterGroup":   "aws_elasticache_parameter_group",
		"AWS::MemoryDB::Cluster":             "aws_memorydb_cluster",
		"AWS::MemoryDB::User":                "aws_memorydb_user",
		"AWS::EC2::SecurityGroup":            "aws_security_group",
		"AWS::EC2::SecurityGroupIngress":     "aws_vpc_security_group_ingress_rule",
	}
}

// property is Terraform's name of a property: its words with underscores, and the exceptions.
func property(kind, name string) string {
	switch name {
	case "CacheNodeType":
		return "node_type"
	case "CacheSubnetGroupName":
		return "subnet_group_name"
	case "CacheParameterGroupName":
		return "parameter_group_name"
	case "VpcSecurityGroupIds":
		return "security_group_ids"
	case "CacheSecurityGroupNames":
		return "security_group_names"
	case "LogDeliveryConfigurations":
		return "log_delivery_configuration"
	case "MultiAZEnabled":
		return "multi_az_enabled"
	case "ACLName":
		return "acl_name"
	case "TLSEnabled":
		return "tls_enabled"
	case "SecurityGroupIngress":
		return "ingress"
	case "CidrIp":
		return "cidr_ipv4"
	case "CidrIpv6":
		return "cidr_ipv6"
	case "SourcePrefixListId":
		return "prefix_list_id"
	case "GroupId":
		return "security_group_id"
	case "Properties":
		return "parameter"
	case "KmsKeyId":
		if kind == "aws_memorydb_cluster" {
			return "kms_key_arn"
		}
	}
	return snake(name)
}

func snake(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			if i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// translate gives nested properties Terraform's names too, and tags and parameters its form.
func translate(kind, key string, v declared.Value) declared.Value {
	if v.Why != "" {
		return v
	}
	switch {
	case key == "Tags":
		return tags(v)
	case key == "Properties" && kind == "aws_elasticache_parameter_group":
		fields, _ := v.Any.(map[string]declared.Value)
		list := make([]declared.Value, 0, len(fields))
		for name, value := range fields {
			list = append(list, declared.Of(map[string]declared.Value{"name": declared.Of(name, v.Source), "value": value}, v.Source))
		}
		v.Any = list
		return v
	}
	switch x := v.Any.(type) {
	case []declared.Value:
		for i := range x {
			x[i] = translate(kind, "", x[i])
		}
	case map[string]declared.Value:
		renamed := make(map[string]declared.Value, len(x))
		for k, f := range x {
			renamed[property(kind, k)] = translate(kind, k, f)
		}
		v.Any = renamed
	}
	return v
}

// tags makes a map of a list of Key and Value.
func tags(v declared.Value) declared.Value {
	list, ok := v.Any.([]declared.Value)
	if !ok {
		return v
	}
	fields := make(map[string]declared.Value, len(list))
	for _, item := range list {
		pair, _ := item.Any.(map[string]declared.Value)
		key, known := pair["Key"].Any.(string)
		if item.Why != "" || !known || pair["Key"].Why != "" {
			return declared.Unknown("a tag is made when it is deployed", v.Source)
		}
		fields[key] = pair["Value"]
	}
	v.Any = fields
	return v
}
