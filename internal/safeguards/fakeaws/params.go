package fakeaws

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params are the members of a request, whatever protocol brought them: a string, a list or other params by name.
type params map[string]any

func (p params) text(name string) string { s, _ := p[name].(string); return s }

// optional is nil for what was not given.
func (p params) optional(name string) *string {
	if s, ok := p[name].(string); ok {
		return &s
	}
	return nil
}

func (p params) number(name string) *int32 {
	if s, ok := p[name].(string); ok {
		n, _ := strconv.ParseInt(s, 10, 32) // the model was checked before
		v := int32(n)
		return &v
	}
	return nil
}

func (p params) flag(name string) *bool {
	if s, ok := p[name].(string); ok {
		v := s == "true"
		return &v
	}
	return nil
}

func (p params) texts(name string) []string {
	var out []string
	list, _ := p[name].([]any)
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

func (p params) structs(name string) []params {
	var out []params
	list, _ := p[name].([]any)
	for _, v := range list {
		s, _ := v.(params)
		out = append(out, s)
	}
	return out
}

// queryParams turns the flat names of the Query protocol, SecurityGroupIds.SecurityGroupId.1, into params, led by the
// model: it says what is a list and how its elements are called.
func (s *service) queryParams(op string, form url.Values) (params, *Error) {
	flat := make(map[string]string, len(form))
	for name, values := range form {
		if name != "Action" && name != "Version" {
			flat[name] = values[0]
		}
	}
	return s.nest(s.ops[op], flat)
}

func (s *service) nest(members []member, flat map[string]string) (params, *Error) {
	out := params{}
	for name, rest := range groupByFirst(flat) {
		i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
		if i < 0 {
			return nil, invalid("The parameter %s is not known.", name)
		}
		v, err := s.nestValue(members[i], rest)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

func (s *service) nestValue(m member, rest map[string]string) (any, *Error) {
	if m.list == "" {
		return s.nestOne(m, rest)
	}
	if m.list != "flat" {
		named := groupByFirst(rest)
		elements, ok := named[m.list]
		if !ok || len(named) != 1 {
			if text, empty := rest[""]; empty && text == "" {
				return []any{}, nil // how an empty list is sent
			}
			return nil, invalid("The elements of %s are not called %s.", m.name, m.list)
		}
		rest = elements
	}
	numbered := groupByFirst(rest)
	list := make([]any, 0, len(numbered))
	for i := 1; i <= len(numbered); i++ {
		element, ok := numbered[strconv.Itoa(i)]
		if !ok {
			return nil, invalid("The elements of %s are not numbered from 1.", m.name)
		}
		v, err := s.nestOne(m, element)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *service) nestOne(m member, rest map[string]string) (any, *Error) {
	if inner, ok := s.shapes[m.kind]; ok {
		return s.nest(inner, rest)
	}
	text, ok := rest[""]
	if !ok || len(rest) != 1 {
		return nil, invalid("The parameter %s has no parts.", m.name)
	}
	return text, nil
}

// groupByFirst splits names at their first dot.
func groupByFirst(flat map[string]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, value := range flat {
		first, rest, _ := strings.Cut(name, ".")
		if out[first] == nil {
			out[first] = map[string]string{}
		}
		out[first][rest] = value
	}
	return out
}

// jsonParams reads the body of a JSON request.
func jsonParams(body []byte) (params, *Error) {
	var raw map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return nil, &Error{Status: 400, Code: "SerializationException", Message: "The body is not JSON."}
	}
	return plain(raw).(params), nil
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := params{}
		for name, x := range v {
			out[name] = plain(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plain(x)
		}
		return out
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return ""
	default:
		return v
	}
}
