package awspolicy_test

import (
	"path"
	"strings"
	"testing"
)

// request is a call as IAM sees it. The context has a list of values for each key that the call has.
type request struct {
	action, resource string
	context          map[string][]string
}

// evaluate is IAM's decision on one identity's policies: an explicit deny wins, then an allow, else it is denied.
func evaluate(t *testing.T, r request, policies ...document) string {
	t.Helper()
	decision := "implicit deny"
	for _, p := range policies {
		for _, s := range p.Statement {
			if !anyMatches(texts(t, s.Action), strings.ToLower(r.action), strings.ToLower) || !anyMatches(texts(t, s.Resource), r.resource, nil) ||
				!holds(t, s.Condition, r.context) {
				continue
			}
			if s.Effect == "Deny" {
				return "deny by " + s.Sid
			}
			decision = "allow"
		}
	}
	return decision
}

// texts reads what may be one text or a list.
func texts(t *testing.T, v any) []string {
	t.Helper()
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var all []string
		for _, item := range x {
			all = append(all, item.(string))
		}
		return all
	}
	t.Fatalf("a policy has %T where texts belong", v)
	return nil
}

func anyMatches(patterns []string, value string, change func(string) string) bool {
	for _, p := range patterns {
		if change != nil {
			p = change(p)
		}
		if like(p, value) {
			return true
		}
	}
	return false
}

// like is StringLike: * is any text, ? any character. A slash is a character like others, which path.Match does not think.
func like(pattern, value string) bool {
	hide := strings.NewReplacer("/", "\x01", "[", "\\[", "\\", "\\\\")
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(value, "/", "\x01"))
	return err == nil && ok
}

// holds says whether all conditions do: all operators, all keys, any value. A key that the call does not have fails, but for
// Null, which asks for that.
func holds(t *testing.T, conditions map[string]any, context map[string][]string) bool {
	t.Helper()
	for operator, block := range conditions {
		for key, want := range block.(map[string]any) {
			values := texts(t, want)
			have := context[key]
			ok := false
			switch operator {
			case "Null":
				ok = (len(have) == 0) == (values[0] == "true")
			case "StringEquals", "Bool":
				ok = len(have) == 1 && contains(values, have[0])
			case "StringLike":
				ok = len(have) == 1 && anyMatches(values, have[0], nil)
			case "ForAnyValue:StringLike":
				for _, h := range have {
					ok = ok || anyMatches(values, h, nil)
				}
			default:
				t.Fatalf("a policy has the operator %s, which this test does not know", operator)
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
