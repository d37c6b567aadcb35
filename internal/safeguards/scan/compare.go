package scan

import (
	"reflect"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// compare joins what runs with the code that was scanned with it: whether it is declared, and where the two differ.
func compare(all []*model.Resource) {
	declared := make(map[string]*model.Resource)
	for _, r := range all {
		if name, ok := model.GivenName.Of(r).Get(); ok && isCode(r.ID.Target) {
			declared[string(r.ID.Kind)+" "+name] = r
		}
	}
	if len(declared) == 0 {
		return
	}
	for _, r := range all {
		if r.ID.Target != model.AWS {
			continue
		}
		code := declared[string(r.ID.Kind)+" "+lastPart(r.ID.Name)]
		model.InCode.Set(r, code != nil, model.Source{Setting: "scanned code"})
		if code != nil {
			model.Drift.Set(r, differences(r, code), model.Source{File: code.Source.File, Line: code.Source.Line})
		}
	}
}

func isCode(t model.Target) bool {
	return t == model.Terraform || t == model.Plan || t == model.CloudFormation
}

// lastPart is the name in an ARN.
func lastPart(name string) string { return name[strings.LastIndexAny(name, ":/")+1:] }

// differences names the facts that are known on both sides and are not the same.
func differences(running, code *model.Resource) []string {
	compared := []model.AnyFact{
		model.Engine, model.NodeType, model.AtRestEncryption, model.TransitEncryption, model.TransitMode, model.AutoMinorUpgrade,
		model.SnapshotRetention, model.MultiAZ, model.AutomaticFailover, model.Port, model.SubnetGroup, model.SlowLogDelivered, model.EngineLogDelivered,
	}
	differ := []string{}
	for _, f := range compared {
		a, b := running.Reading(f.Name()), code.Reading(f.Name())
		byReference := strings.Contains(strings.ToLower(asText(b.Value)), "aws_") // the code names another resource there
		if a.State == model.Known && b.State == model.Known && !byReference && !reflect.DeepEqual(a.Value, b.Value) {
			differ = append(differ, f.Name())
		}
	}
	slices.Sort(differ)
	return differ
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}
