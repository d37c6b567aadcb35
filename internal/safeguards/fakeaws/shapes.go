package fakeaws

import (
	"bufio"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The service model, one file for each service:
//
//	op NAME            an operation, followed by its members
//	shape NAME         a structure, followed by its members
//	  NAME[!] TYPE [A|B|C or MIN..MAX] [list=MEMBER] [most=N]
//
// A ! marks what is required. TYPE is string, int, bool, time or the name of a shape; the range is a string's length or a
// number's value; MEMBER is the name of a list's elements on the wire, or flat.
//
//go:embed *.shapes
var shapeFiles embed.FS

// service is the model of one service.
type service struct {
	ops    map[string][]member
	shapes map[string][]member
}

// member is one member of a request.
type member struct {
	name     string
	required bool
	kind     string
	enum     []string
	min, max int64 // max < min is no range
	list     string
	most     int
}

// services are the models of all services; tests make thousands of fakes, and the models are read once.
var services = sync.OnceValue(func() map[string]*service {
	out := map[string]*service{}
	for _, name := range []string{"elasticache", "memorydb", "sts", "ec2", "sqs", "kms", "cloudtrail"} {
		out[name] = loadService(name)
	}
	return out
})

// loadService parses the model of a service; a mistake in it is a bug.
func loadService(name string) *service {
	src, err := shapeFiles.ReadFile(name + ".shapes")
	if err != nil {
		panic("BUG: no service model for " + name)
	}
	s := &service{ops: map[string][]member{}, shapes: map[string][]member{}}
	var into map[string][]member
	var current string
	for lines := bufio.NewScanner(strings.NewReader(string(src))); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "op":
			into, current = s.ops, words[1]
			into[current] = nil
		case "shape":
			into, current = s.shapes, words[1]
			into[current] = nil
		default:
			into[current] = append(into[current], parseMember(words))
		}
	}
	return s
}

func parseMember(words []string) member {
	name, required := strings.CutSuffix(words[0], "!")
	m := member{name: name, required: required, kind: words[1], max: -1}
	for _, w := range words[2:] {
		if list, ok := strings.CutPrefix(w, "list="); ok {
			m.list = list
		} else if most, ok := strings.CutPrefix(w, "most="); ok {
			m.most, _ = strconv.Atoi(most)
		} else if low, high, ok := strings.Cut(w, ".."); ok {
			m.min, _ = strconv.ParseInt(low, 10, 64)
			m.max = 1 << 40
			if high != "" {
				m.max, _ = strconv.ParseInt(high, 10, 64)
			}
		} else {
			m.enum = strings.Split(w, "|")
		}
	}
	return m
}

// check tells what of a request the model does not allow, in AWS's codes.
func (s *service) check(op string, in params) *Error {
	members, ok := s.ops[op]
	if !ok {
		return &Error{Status: 400, Code: "InvalidAction", Message: "The action or operation requested is invalid."}
	}
	return s.checkMembers(members, in)
}

func (s *service) checkMembers(members []member, in params) *Error {
	for _, m := range members {
		v, given := in[m.name]
		if !given {
			if m.required {
				return &Error{Status: 400, Code: "MissingParameter", Message: "The request must contain the parameter " + m.name + "."}
			}
			continue
		}
		if err := s.checkValue(m, v); err != nil {
			return err
		}
	}
	for name := range in {
		if !slices.ContainsFunc(members, func(m member) bool { return m.name == name }) {
			return invalid("The parameter %s is not known.", name)
		}
	}
	return nil
}

func (s *service) checkValue(m member, v any) *Error {
	if m.list == "" {
		return s.checkOne(m, v)
	}
	elements, ok := v.([]any)
	if !ok {
		return invalid("The parameter %s is a list.", m.name)
	}
	if m.most > 0 && len(elements) > m.most {
		return invalid("The parameter %s has more than %d elements.", m.name, m.most)
	}
	for _, e := range elements {
		if err := s.checkOne(m, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) checkOne(m member, v any) *Error {
	text, isText := v.(string)
	if inner, ok := s.shapes[m.kind]; ok {
		fields, ok := v.(params)
		if !ok {
			return invalid("The parameter %s is a structure.", m.name)
		}
		return s.checkMembers(inner, fields)
	}
	if !isText {
		return invalid("The parameter %s is not a %s.", m.name, m.kind)
	}
	size := int64(len(text))
	switch m.kind {
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return invalid("The parameter %s is not a number.", m.name)
		}
		size = n
	case "bool":
		if text != "true" && text != "false" {
			return invalid("The parameter %s is neither true nor false.", m.name)
		}
	case "time":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return invalid("The parameter %s is not a time.", m.name)
		}
	}
	if m.max >= m.min && (size < m.min || size > m.max) {
		return invalid("The parameter %s is outside %d to %d.", m.name, m.min, m.max)
	}
	if m.enum != nil && !slices.Contains(m.enum, text) {
		return invalid("The parameter %s is none of %s.", m.name, strings.Join(m.enum, ", "))
	}
	return nil
}

func invalid(format string, args ...any) *Error {
	return &Error{Status: 400, Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...)}
}

// Member is a member of a request as the fake has it, for comparing with AWS's published model.
type Member struct {
	Name, List string
	Required   bool
	Enum       []string
}

// Operations are a service's operations and the members of their requests.
func Operations(name string) map[string][]Member {
	out := map[string][]Member{}
	for op, members := range services()[name].ops {
		list := make([]Member, len(members))
		for i, m := range members {
			list[i] = Member{m.name, m.list, m.required, m.enum}
		}
		out[op] = list
	}
	return out
}
