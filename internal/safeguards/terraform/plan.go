package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// ReadPlan reads a plan in JSON as a stream: of a plan of any size only the resources that matter are kept. name is how
// reports call the file.
func ReadPlan(name string, src io.Reader) ([]*model.Resource, []Problem) {
	p := &plan{name: name, config: make(map[string]*tfjson.ConfigResource), vars: make(map[string]*tfjson.ConfigVariable)}
	err := walkJSON(src, p.element)
	var problems []Problem
	if err == nil && p.version == "" {
		err = errors.New("it has no format_version: it is not a plan")
	}
	if err != nil {
		problems = append(problems, Problem{model.Source{File: name}, err.Error()})
	}
	return declared.Resources(model.Plan, name, p.blocks()), problems
}

type plan struct {
	name    string
	version string
	changes []*tfjson.ResourceChange
	config  map[string]*tfjson.ConfigResource // by address without indices
	vars    map[string]*tfjson.ConfigVariable // of the root module
}

// element takes the parts of a plan that matter; the rest is passed over without being kept.
func (p *plan) element(path []string, decode func(any) error) (taken bool, err error) {
	switch {
	case slices.Equal(path, []string{"format_version"}):
		if err := decode(&p.version); err != nil {
			return true, err
		}
		if !strings.HasPrefix(p.version, "1.") && !strings.HasPrefix(p.version, "0.") {
			return true, errors.New("its format_version is not supported")
		}
		return true, nil
	case len(path) == 2 && path[0] == "resource_changes":
		change := &tfjson.ResourceChange{}
		if err := decode(change); err != nil {
			return true, err
		}
		if slices.Contains(declared.Types(), change.Type) && change.Mode == tfjson.ManagedResourceMode && change.Change != nil && !change.Change.Actions.Delete() {
			p.changes = append(p.changes, change)
		}
		return true, nil
	case len(path) == 4 && path[0] == "configuration" && path[1] == "root_module" && path[2] == "variables":
		v := &tfjson.ConfigVariable{}
		p.vars[path[3]] = v
		return true, decode(v)
	case len(path) > 3 && path[0] == "configuration" && path[len(path)-2] == "resources" && path[len(path)-1] == "-":
		r := &tfjson.ConfigResource{}
		if err := decode(r); err != nil {
			return true, err
		}
		if slices.Contains(declared.Types(), r.Type) {
			p.config[modulePrefix(path)+r.Address] = r
		}
		return true, nil
	}
	return false, nil
}

// modulePrefix makes module.a.module.b. of configuration.root_module.module_calls.a.module.module_calls.b.module.resources.
func modulePrefix(path []string) string {
	var b strings.Builder
	for i, step := range path {
		if step == "module_calls" && i+1 < len(path) {
			b.WriteString("module." + path[i+1] + ".")
		}
	}
	return b.String()
}

// blocks joins what will be with how it is written.
func (p *plan) blocks() []declared.Block {
	var blocks []declared.Block
	for _, c := range p.changes {
		after, _ := c.Change.After.(map[string]any)
		unknown, _ := c.Change.AfterUnknown.(map[string]any)
		plain := withoutIndices(c.Address)
		config := p.config[plain]
		b := declared.Block{Type: c.Type, Address: c.Address, Source: model.Source{File: p.name}, Args: make(map[string]declared.Value)}
		at := func(name string) model.Source { return model.Source{File: p.name, Setting: c.Address + "." + name} }
		for name, v := range after {
			b.Args[name] = planned(v, unknown[name], at(name))
		}
		for name, u := range unknown {
			if _, known := after[name]; !known {
				b.Args[name] = planned(nil, u, at(name))
			}
		}
		for name, v := range b.Args {
			p.describe(&v, name, config, plain)
			b.Args[name] = v
		}
		blocks = append(blocks, b)
		if plain != c.Address && strings.HasPrefix(c.Type, "aws_security") {
			b.Address = plain // references name all instances together
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// planned makes a value of what will be; what is unknown says so at any depth. null is as good as left out.
func planned(v, unknown any, at model.Source) declared.Value {
	if u, ok := unknown.(bool); ok && u {
		return declared.Unknown("it is known only after apply", at)
	}
	switch x := v.(type) {
	case nil:
		return declared.Value{}
	case []any:
		parts, _ := unknown.([]any)
		list := make([]declared.Value, len(x))
		for i := range x {
			var u any
			if i < len(parts) {
				u = parts[i]
			}
			list[i] = planned(x[i], u, at)
		}
		if len(list) == 0 {
			return declared.Value{} // blocks that are left out are empty lists in a plan
		}
		return declared.Of(list, at)
	case map[string]any:
		parts, _ := unknown.(map[string]any)
		fields := make(map[string]declared.Value, len(x))
		for k, item := range x {
			fields[k] = planned(item, parts[k], at)
		}
		for k, u := range parts {
			if _, has := x[k]; !has {
				fields[k] = planned(nil, u, at)
			}
		}
		return declared.Of(fields, at)
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			return declared.Unknown("its number cannot be understood", at)
		}
		return declared.Of(f, at)
	default:
		return declared.Of(v, at)
	}
}

// describe adds what the configuration tells of a value: the resources and variables that it names.
func (p *plan) describe(v *declared.Value, name string, config *tfjson.ConfigResource, address string) {
	if config == nil || config.Expressions[name] == nil || config.Expressions[name].ExpressionData == nil {
		return
	}
	prefix := address[:len(address)-len(config.Address)]
	for _, ref := range config.Expressions[name].References {
		parts := strings.Split(withoutIndices(ref), ".")
		switch {
		case len(parts) < 2:
		case parts[0] == "var":
			v.Origin = p.variable(parts[1], prefix)
		case strings.HasPrefix(parts[0], "random_"):
			v.Origin = "generated"
		case parts[0] == "data", parts[0] == "ephemeral", secretSource(parts[0]) != "":
			v.Origin = "reference"
		case strings.Contains(parts[0], "_"):
			v.Refs = append(v.Refs, prefix+parts[0]+"."+parts[1])
		}
	}
	slices.Sort(v.Refs)
	v.Refs = slices.Compact(v.Refs)
}

// variable is the origin of what a variable holds. Inside modules the configuration does not say where it comes from.
func (p *plan) variable(name, prefix string) string {
	v := p.vars[name]
	switch {
	case prefix != "" || v == nil:
		return "parameter"
	case v.Default != nil:
		return "default"
	case v.Sensitive:
		return "parameter"
	default:
		return "plain parameter"
	}
}

func withoutIndices(address string) string {
	var b strings.Builder
	depth := 0
	for _, c := range address {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// Limits of one plan.
const (
	maxPlanBytes    = 4 << 30
	maxElementBytes = 16 << 20
	maxPlanDepth    = 128
)

// budget ends a stream whose next element is larger than anything that Terraform writes.
type budget struct {
	src         io.Reader
	left, whole int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 || b.whole <= 0 {
		return 0, errors.New("it is too large, or has an element that is")
	}
	n, err := b.src.Read(p[:min(int64(len(p)), b.left, b.whole)])
	b.left -= int64(n)
	b.whole -= int64(n)
	return n, err
}

// walkJSON offers each element to visit, with its path; elements of lists are called "-". What visit does not take is
// walked into, and passed over if it is no object or list.
func walkJSON(src io.Reader, visit func(path []string, decode func(any) error) (bool, error)) error {
	b := &budget{src: src, left: maxElementBytes, whole: maxPlanBytes}
	d := json.NewDecoder(b)
	d.UseNumber()
	var walk func(path []string) error
	walk = func(path []string) error {
		if len(path) > maxPlanDepth {
			return fmt.Errorf("it is nested deeper than %d", maxPlanDepth)
		}
		b.left = maxElementBytes
		if len(path) > 0 {
			taken, err := visit(path, func(v any) error {
				if err := d.Decode(v); err != nil {
					return jsonError(err)
				}
				return nil
			})
			if taken || err != nil {
				return err
			}
		}
		token, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		open, ok := token.(json.Delim)
		if !ok {
			return nil
		}
		for d.More() {
			step := "-"
			if open == '{' {
				key, err := d.Token()
				if err != nil {
					return jsonError(err)
				}
				step, _ = key.(string)
			}
			if err := walk(append(path, step)); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return jsonError(err)
	}
	return walk(nil)
}

// jsonError keeps what went wrong and drops the piece of the text that encoding/json quotes: it may be a secret.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not valid JSON, near byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("field %s is a %s, which is not expected", kind.Field, kind.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends before it is complete")
	default:
		return err
	}
}
