package rules

import (
	"fmt"
	"maps"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// mends joins the mends of several groups of targets.
func mends(groups ...map[model.Target]string) map[model.Target]string {
	all := make(map[model.Target]string)
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}

func mend(t model.Target, text string) map[model.Target]string {
	return map[model.Target]string{t: text}
}

// code is the mend in Terraform, where HCL and plan have the same, and in CloudFormation.
func code(terraform, cloudFormation string) map[model.Target]string {
	return map[model.Target]string{
		model.Terraform: terraform, model.Plan: terraform + ", and plan again", model.CloudFormation: cloudFormation,
	}
}

// directives are lines of redis.conf, as each way of running a server writes them. A value with a blank needs its quotes.
func directives(lines ...string) map[model.Target]string {
	quoted := "`" + strings.Join(lines, "`, `") + "`"
	flags := make([]string, len(lines))
	for i, l := range lines {
		flags[i] = "--" + l
	}
	args := "`" + strings.Join(flags, " ") + "`"
	return map[model.Target]string{
		model.Config:     "write " + quoted + " in the file, after its includes",
		model.Sentinel:   "write " + quoted + " in the file",
		model.Kubernetes: fmt.Sprintf("write %s in the ConfigMap's redis.conf, or add %s to the container's args", quoted, args),
		model.Compose:    fmt.Sprintf("add %s to the service's command, or write %s in the mounted redis.conf", args, quoted),
		model.Live:       fmt.Sprintf("write %s in redis.conf and restart, or use CONFIG SET and CONFIG REWRITE where it is allowed", quoted),
	}
}
