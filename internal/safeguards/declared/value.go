package declared

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Value is what an argument holds. The zero Value is an argument that is left out.
type Value struct {
	Present bool
	// Known values are one of bool, string, float64, []Value and map[string]Value.
	Any    any
	Why    string // why it is not known; empty if it is
	Source model.Source
	// Refs are addresses of declared resources that the value comes from: aws_security_group.cache.
	Refs []string
	// Origin is where the text of a secret comes from, in the words of model.TokenOrigin; empty: it stands here.
	Origin string
	// Optional says that the value, which is not known, may turn out to be left out: a branch of a condition is null.
	Optional bool
}

// Of makes a known value.
func Of(v any, at model.Source) Value { return Value{Present: true, Any: v, Source: at} }

// Unknown makes a value that is there and not known.
func Unknown(why string, at model.Source) Value { return Value{Present: true, Why: why, Source: at} }

func (v Value) known() bool { return v.Present && v.Why == "" }

func (v Value) text() (string, bool) {
	switch x := v.Any.(type) {
	case string:
		return x, v.known()
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), v.known()
	case bool:
		return strconv.FormatBool(x), v.known()
	}
	return "", false
}

// flag reads a bool, and the texts "true" and "false" that JSON and CloudFormation have in its place.
func (v Value) flag() (bool, bool) {
	switch x := v.Any.(type) {
	case bool:
		return x, v.known()
	case string:
		b, err := strconv.ParseBool(x)
		return b, v.known() && err == nil
	}
	return false, false
}

func (v Value) number() (int64, bool) {
	switch x := v.Any.(type) {
	case float64:
		return int64(x), v.known() && x == float64(int64(x))
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return n, v.known() && err == nil
	}
	return 0, false
}

// items returns the elements of a list; a value that is no list is a list of itself, as a single block is.
func (v Value) items() ([]Value, bool) {
	if !v.Present {
		return nil, true
	}
	if v.Why != "" {
		return nil, false
	}
	if list, ok := v.Any.([]Value); ok {
		return list, true
	}
	return []Value{v}, true
}

// at returns a member of an object.
func (v Value) at(name string) Value {
	if v.Why != "" {
		return v
	}
	if m, ok := v.Any.(map[string]Value); ok {
		return m[name]
	}
	return Value{}
}

// reason is why a value that is there is of no use.
func (v Value) reason() string {
	if v.Why != "" {
		return v.Why
	}
	return "its value is not of the kind that is expected"
}

// Block is one declared resource.
type Block struct {
	Type    string // aws_elasticache_replication_group, in Terraform's words for CloudFormation too
	Address string // how Refs name it
	Source  model.Source
	Args    map[string]Value
	// Complete is false where the arguments themselves are not all known: a body that is generated. Why says it.
	Why string
}

// arg returns an argument; where not all arguments are known, one that is not there is unknown.
func (b *Block) arg(name string) Value {
	v, ok := b.Args[name]
	if (!ok || !v.Present) && b.Why != "" {
		return Unknown(b.Why, b.Source)
	}
	if v.Present && v.Source.Setting == "" {
		v.Source.Setting = name
	}
	return v
}
