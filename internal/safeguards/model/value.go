package model

import (
	"fmt"
	"strings"
)

// State says whether a fact is known. The zero value is Unknown: what nobody set is not known.
type State uint8

// The two states of a fact; a known bool makes the third: true, false, unknown.
const (
	Unknown State = iota
	Known
)

// String is the state's name in JSON and in reports.
func (s State) String() string {
	if s == Known {
		return "known"
	}
	return "unknown"
}

// Source is where a fact was read. It never holds the value of a secret.
type Source struct {
	File   string `json:"file,omitempty"` // as the user named it, slashes; "" where the source is no file
	Line   int    `json:"line,omitempty"` // from 1; 0 is not known
	Column int    `json:"column,omitempty"`
	// Setting is what was read in the words of its target: transit_encryption_mode, CONFIG GET tls-protocols,
	// DescribeReplicationGroups.AtRestEncryptionEnabled.
	Setting string `json:"setting,omitempty"`
	// Default says that the setting is left out and the value is what the product then does.
	Default bool `json:"default,omitempty"`
}

// String is for people: FILE:LINE:COLUMN SETTING (default), what there is of it.
func (s Source) String() string {
	var b strings.Builder
	b.WriteString(s.Place())
	if s.Setting != "" {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.Setting)
	}
	if s.Default {
		b.WriteString(" (default)")
	}
	return b.String()
}

// Place is FILE:LINE:COLUMN as far as they are known, or "".
func (s Source) Place() string {
	switch {
	case s.File == "":
		return ""
	case s.Line == 0:
		return s.File
	case s.Column == 0:
		return fmt.Sprintf("%s:%d", s.File, s.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column)
	}
}

// Value is a fact as it was read: known with its value, or unknown with the reason.
type Value[T any] struct {
	State  State
	Source Source
	Why    string // why it is unknown, a clause without a full stop: "the variable token has no default"
	value  T
}

// Get returns the value and whether it is known; the value is the zero T if it is not.
func (v Value[T]) Get() (T, bool) { return v.value, v.State == Known }

// Is says whether the value is known and fits.
func (v Value[T]) Is(fits func(T) bool) bool { return v.State == Known && fits(v.value) }
