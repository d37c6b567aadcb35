package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Fact is one thing that can be known of a resource, and the type of its value.
type Fact[T any] struct{ name, doc string }

// Name is the fact's name in JSON, in profiles and in custom rules.
func (f Fact[T]) Name() string { return f.name }

// Doc is what the fact says, a phrase, with its unit.
func (f Fact[T]) Doc() string { return f.doc }

// Set says that the fact is known. The resource keeps v.
func (f Fact[T]) Set(r *Resource, v T, from Source) {
	r.put(f.name, Reading{State: Known, Source: from, Value: v})
}

// SetUnknown says that the fact could not be learned, and why.
func (f Fact[T]) SetUnknown(r *Resource, why string, from Source) {
	r.put(f.name, Reading{State: Unknown, Source: from, Why: why})
}

// Of returns what is known of the fact. A fact that no reader set is unknown.
func (f Fact[T]) Of(r *Resource) Value[T] {
	reading, ok := r.facts[f.name]
	if !ok {
		return Value[T]{Why: notRead}
	}
	v := Value[T]{State: reading.State, Source: reading.Source, Why: reading.Why}
	if v.State == Known {
		v.value = reading.Value.(T) // BUG if not: only Set and decode write readings, both with this type
	}
	return v
}

const notRead = "it was not read"

func (f Fact[T]) decode(src []byte) (any, error) {
	var v T
	if err := json.Unmarshal(src, &v); err != nil {
		return nil, fmt.Errorf("cannot decode fact %s: %w", f.name, err)
	}
	return v, nil
}

func (f Fact[T]) zero() any {
	var v T
	return v
}

// AnyFact is a Fact of any type: the rows of Facts.
type AnyFact interface {
	Name() string
	Doc() string
	// SetUnknown is as Fact's.
	SetUnknown(r *Resource, why string, from Source)
	decode(src []byte) (any, error)
	zero() any
}

// TypeName is the type of a fact's value in the words of profiles and custom rules.
func TypeName(f AnyFact) string {
	switch f.zero().(type) {
	case bool:
		return "bool"
	case string:
		return "string"
	case int64:
		return "int"
	case []string:
		return "list of strings"
	case map[string]string:
		return "map of strings"
	case time.Time:
		return "timestamp"
	case []AuthUser, []ServiceUpdate, []Ingress:
		return "list of " + typeName(f.zero())
	default:
		return typeName(f.zero())
	}
}

// typeName is the name of a type of this package, or of a list of it.
func typeName(v any) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", v), "[]"), "model.")
}

// Reading is a fact of a resource without its type.
type Reading struct {
	State  State
	Source Source
	Why    string
	Value  any // of the fact's type; nil if unknown
}
