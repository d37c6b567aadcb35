// Package cel makes rules of the expressions that users write in their profiles, in the Common Expression Language
// (https://cel.dev).
//
// It is for deciding from facts. An expression reads no file and no clock, calls nothing and ends: its cost has a limit.
//
// The invariant that it keeps: an expression that needs an unknown fact gives UNKNOWN, never true and never false; and a
// name of a fact that does not exist is a mistake when the profile is read, not a rule that is silently never decided.
//
// `lethe safeguards scan` and the watcher call Compile.
package cel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

const (
	maxExpression = 8 << 10   // bytes
	maxCost       = 1_000_000 // of one evaluation, in CEL's units: about one for each step
)

// Compile makes rules. An error names the custom rule and its line, and says what is wrong with it.
func Compile(custom []profile.Custom) ([]rules.Rule, error) {
	env, err := cel.NewEnv(cel.Variable("facts", cel.MapType(cel.StringType, cel.DynType)), cel.Variable("resource", cel.MapType(cel.StringType, cel.StringType)))
	if err != nil {
		return nil, fmt.Errorf("cannot prepare expressions: %w", err)
	}
	list := make([]rules.Rule, 0, len(custom))
	for _, c := range custom {
		rule, err := compile(env, c)
		if err != nil {
			return nil, fmt.Errorf("cannot compile custom rule %s, line %d: %w", c.ID, c.Line, err)
		}
		list = append(list, rule)
	}
	return list, nil
}

func compile(env *cel.Env, c profile.Custom) (rules.Rule, error) {
	if len(c.Pass) > maxExpression {
		return rules.Rule{}, fmt.Errorf("the expression is longer than %d bytes", maxExpression)
	}
	tree, issues := env.Compile(c.Pass)
	if issues != nil && issues.Err() != nil {
		return rules.Rule{}, issues.Err()
	}
	if t := tree.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return rules.Rule{}, fmt.Errorf("the expression gives a %s, not true or false", t)
	}
	reads, err := factsOf(tree)
	if err != nil {
		return rules.Rule{}, err
	}
	program, err := env.Program(tree, cel.EvalOptions(cel.OptPartialEval), cel.CostLimit(maxCost))
	if err != nil {
		return rules.Rule{}, err
	}
	kinds, targets := c.Kinds, c.Targets
	if len(kinds) == 0 {
		kinds = model.Kinds()
	}
	if len(targets) == 0 {
		targets = model.Targets()
	}
	rule := rules.Rule{
		ID: c.ID, Title: c.Title, Severity: c.Severity, Citations: c.Citations, Why: c.Why, Reads: reads, Remedy: rules.ReportOnly,
		On: []rules.Scope{{Kinds: kinds, Targets: targets}}, Mend: make(map[model.Target]string, len(targets)),
	}
	for _, t := range targets {
		rule.Mend[t] = c.Mend
	}
	return rules.Custom(rule, predicate(program)), nil
}

// factsOf finds the facts that an expression names, as facts.NAME or facts["NAME"].
func factsOf(tree *cel.Ast) ([]model.AnyFact, error) {
	all := model.Facts()
	var reads []model.AnyFact
	var problem error
	take := func(name string) {
		i := slices.IndexFunc(all, func(f model.AnyFact) bool { return f.Name() == name })
		if i < 0 {
			problem = fmt.Errorf("there is no fact %q", name)
		} else if !slices.Contains(reads, all[i]) {
			reads = append(reads, all[i])
		}
	}
	uses, named := 0, 0
	isFacts := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "facts" }
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch {
		case isFacts(e):
			uses++
		case e.Kind() == ast.SelectKind && isFacts(e.AsSelect().Operand()):
			named++
			take(e.AsSelect().FieldName())
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index && isFacts(e.AsCall().Args()[0]) && e.AsCall().Args()[1].Kind() == ast.LiteralKind:
			named++
			name, _ := e.AsCall().Args()[1].AsLiteral().Value().(string)
			take(name)
		}
	}))
	if problem == nil && uses != named {
		problem = fmt.Errorf("facts are named by facts.NAME only")
	}
	return reads, problem
}

func predicate(program cel.Program) rules.Predicate {
	return func(r *model.Resource, facts map[string]any, unknown []string) (bool, string) {
		values := make(map[string]any, len(facts))
		for name, v := range facts {
			values[name] = plain(v)
		}
		patterns := make([]*cel.AttributePatternType, len(unknown))
		for i, name := range unknown {
			patterns[i] = cel.AttributePattern("facts").QualString(name)
		}
		vars, err := cel.PartialVars(map[string]any{"facts": values, "resource": map[string]string{
			"target": string(r.ID.Target), "kind": string(r.ID.Kind), "account": r.ID.Account, "region": r.ID.Region, "name": r.ID.Name,
		}}, patterns...)
		if err != nil {
			return false, "the expression cannot be prepared"
		}
		result, _, err := program.Eval(vars)
		switch {
		case err != nil:
			return false, "the expression cannot be evaluated on it"
		case types.IsUnknown(result):
			return false, "it depends on what is not known: " + strings.Join(unknown, ", ")
		}
		holds, ok := result.Value().(bool)
		if !ok {
			return false, "the expression gives neither true nor false"
		}
		return holds, ""
	}
}

// plain makes of our structures what JSON makes of them: lists and maps with the names of their JSON form.
func plain(v any) any {
	switch v.(type) {
	case bool, string, int64, []string, map[string]string, time.Time:
		return v
	}
	src, err := json.Marshal(v)
	if err != nil {
		panic("BUG: a fact has no JSON form: " + err.Error())
	}
	var out any
	if err := json.Unmarshal(src, &out); err != nil {
		panic("BUG: a fact's JSON form cannot be read: " + err.Error())
	}
	return out
}
