package report_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A shape says what is wrong with a JSON value. The shapes of SARIF 2.1.0 and OSCAL 1.1.3 below are written from these
// standards, for the members that reports have: what is required, what may be there, and what each may hold. A member that
// is not in a shape is a mistake, as both schemas say ("additionalProperties": false).
type shape func(at string, v any) []string

// members is an object. A name that begins with "!" is required.
func members(fields map[string]shape) shape {
	return func(at string, v any) (wrong []string) {
		object, ok := v.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		known := map[string]bool{}
		for name, s := range fields {
			bare, required := strings.CutPrefix(name, "!")
			known[bare] = true
			value, there := object[bare]
			switch {
			case there:
				wrong = append(wrong, s(at+"."+bare, value)...)
			case required:
				wrong = append(wrong, at+" has no "+bare)
			}
		}
		for name := range object {
			if !known[name] {
				wrong = append(wrong, at+" has "+name)
			}
		}
		return wrong
	}
}

// list is an array of at least so many different items.
func list(least int, item shape) shape {
	return func(at string, v any) (wrong []string) {
		items, ok := v.([]any)
		if !ok || len(items) < least {
			return []string{fmt.Sprintf("%s is no list of %d", at, least)}
		}
		for i, x := range items {
			wrong = append(wrong, item(fmt.Sprintf("%s[%d]", at, i), x)...)
		}
		return wrong
	}
}

// fits is a text that a function likes.
func fits(what string, good func(string) bool) shape {
	return func(at string, v any) []string {
		if s, ok := v.(string); !ok || !good(s) {
			return []string{at + " is not " + what}
		}
		return nil
	}
}

func pattern(p string) shape { return fits(p, regexp.MustCompile(p).MatchString) }
func oneOf(all ...string) shape {
	return fits("one of "+strings.Join(all, ", "), func(s string) bool { return slices.Contains(all, s) })
}
func someText() shape {
	return fits("a text", func(s string) bool { return strings.TrimSpace(s) != "" })
}
func isURI(absolute bool) shape {
	return fits("a URI", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && s != "" && u.IsAbs() == absolute && !strings.ContainsAny(s, " \\\n\"<>")
	})
}
func instant() shape {
	return fits("an instant with its zone", func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil })
}

func whole(least float64) shape {
	return func(at string, v any) []string {
		if n, ok := v.(float64); !ok || n < least || n != float64(int64(n)) {
			return []string{fmt.Sprintf("%s is no number from %v", at, least)}
		}
		return nil
	}
}

func boolean(at string, v any) []string {
	if _, ok := v.(bool); !ok {
		return []string{at + " is neither true nor false"}
	}
	return nil
}

// textMap is an object of texts.
func textMap(at string, v any) (wrong []string) {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{at + " is no object"}
	}
	for name, x := range object {
		wrong = append(wrong, someText()(at+"."+name, x)...)
	}
	return wrong
}

// decode writes a form and reads it back.
func decode(t *testing.T, form string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(write(t, form)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// wellShaped checks a document, and the shape itself: without any one of its members that a schema requires, and with one
// that no schema knows, the document is refused.
func wellShaped(t *testing.T, document map[string]any, s shape) {
	t.Helper()
	for _, w := range s("document", document) {
		t.Error(w)
	}
	removed := 0
	objects(document, func(o map[string]any) {
		o["made-up"] = "x"
		if s("document", document) == nil {
			t.Errorf("an object with %v and made-up is taken", slices.Sorted(maps.Keys(o)))
		}
		delete(o, "made-up")
		for _, name := range slices.Collect(maps.Keys(o)) {
			kept := o[name]
			o[name] = []any{nil}
			if s("document", document) == nil {
				t.Errorf("%s may be anything", name)
			}
			delete(o, name)
			if s("document", document) != nil {
				removed++
			}
			o[name] = kept
		}
	})
	if removed < 20 {
		t.Errorf("only %d members are required", removed)
	}
}

// objects visits each object but those whose members are free, and one of each list, which has items alike.
func objects(v any, visit func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		visit(x)
		for name, child := range x {
			if name != "partialFingerprints" {
				objects(child, visit)
			}
		}
	case []any:
		if len(x) > 0 {
			objects(x[0], visit)
		}
	}
}
