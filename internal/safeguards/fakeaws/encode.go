package fakeaws

import (
	"encoding/json"
	"encoding/xml"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Replies are the SDK's own types: their fields have the names of the service model.

// elementNames is how the elements of a reply's lists are called where that is not "member", by field.
var elementNames = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"ReplicationGroups": "ReplicationGroup", "CacheClusters": "CacheCluster", "Snapshots": "Snapshot",
		"ServerlessCacheSnapshots": "ServerlessCacheSnapshot", "CacheSubnetGroups": "CacheSubnetGroup", "Subnets": "Subnet",
		"Parameters": "Parameter", "UpdateActions": "UpdateAction", "Events": "Event", "TagList": "Tag",
		"MemberClusters": "ClusterId", "NodeGroups": "NodeGroup", "NodeGroupMembers": "NodeGroupMember",
		"LogDeliveryConfigurations": "LogDeliveryConfiguration", "CacheNodes": "CacheNode",
		"CacheSecurityGroups": "CacheSecurityGroup", "SecurityGroupIds": "SecurityGroupId", "SubnetIds": "SubnetId",
		"NodeSnapshots": "NodeSnapshot", "ProcessedUpdateActions": "ProcessedUpdateAction", "UnprocessedUpdateActions": "UnprocessedUpdateAction",
	}
})

// encodeXML writes an output as the Query protocol has it: <OpResponse><OpResult>...
func encodeXML(op string, out any) []byte {
	var b strings.Builder
	b.WriteString("<" + op + "Response><" + op + "Result>")
	xmlFields(&b, reflect.Indirect(reflect.ValueOf(out)), elementNames())
	b.WriteString("</" + op + "Result><ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></" + op + "Response>")
	return []byte(b.String())
}

func xmlFields(b *strings.Builder, v reflect.Value, elements map[string]string) {
	for i := range v.NumField() {
		name, f := fieldOf(v, i)
		if name == "" || f.IsZero() {
			continue
		}
		b.WriteString("<" + name + ">")
		if f.Kind() == reflect.Slice {
			element := elements[name]
			// A parameter group and an update action list their pending log deliveries as members.
			if element == "" || v.Type().Name() == "PendingModifiedValues" || v.Type().Name() == "ReplicationGroupPendingModifiedValues" {
				element = "member"
			}
			for j := range f.Len() {
				b.WriteString("<" + element + ">")
				xmlValue(b, f.Index(j), elements)
				b.WriteString("</" + element + ">")
			}
		} else {
			xmlValue(b, f, elements)
		}
		b.WriteString("</" + name + ">")
	}
}

func xmlValue(b *strings.Builder, v reflect.Value, elements map[string]string) {
	v = reflect.Indirect(v)
	if t, ok := v.Interface().(time.Time); ok {
		b.WriteString(t.UTC().Format(time.RFC3339Nano))
		return
	}
	if v.Kind() == reflect.Struct {
		xmlFields(b, v, elements)
		return
	}
	_ = xml.EscapeText(b, []byte(scalar(v))) // a strings.Builder does not fail
}

func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int32, reflect.Int64, reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return v.String()
	}
}

// encodeJSON writes an output as the JSON protocols have it: times are seconds.
func encodeJSON(out any) []byte {
	src, err := json.Marshal(jsonValue(reflect.ValueOf(out)))
	if err != nil {
		panic("BUG: a reply has no JSON form: " + err.Error())
	}
	return src
}

func jsonValue(v reflect.Value) any {
	v = reflect.Indirect(v)
	if t, ok := v.Interface().(time.Time); ok {
		return float64(t.UnixMilli()) / 1000
	}
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if name, f := fieldOf(v, i); name != "" && !f.IsZero() {
				out[name] = jsonValue(f)
			}
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = jsonValue(v.Index(i))
		}
		return out
	case reflect.Map:
		return v.Interface()
	default:
		return v.Interface()
	}
}

// fieldOf is a field's name on the wire, empty for what is the SDK's own.
func fieldOf(v reflect.Value, i int) (string, reflect.Value) {
	t := v.Type().Field(i)
	if !t.IsExported() || t.Name == "ResultMetadata" || t.Type.Kind() == reflect.Struct && t.Anonymous {
		return "", reflect.Value{}
	}
	return t.Name, v.Field(i)
}
