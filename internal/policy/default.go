package policy

import (
	_ "embed"
	"fmt"
)

//go:embed default.yaml
var defaultYAML string

// Default returns the policy that holds when no file is given: the categories of the decision record and the keys that its
// naming convention, Spring Cache and Spring Session make.
func Default() *Policy {
	p, mistakes := Parse([]byte(defaultYAML))
	if len(mistakes) > 0 {
		panic(fmt.Sprintf("BUG: the default policy has a mistake: %v", mistakes[0]))
	}
	return p
}

// DefaultYAML returns the text of the default policy, with its comments.
func DefaultYAML() string { return defaultYAML }
