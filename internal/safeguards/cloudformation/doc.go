// Package cloudformation reads CloudFormation templates, YAML and JSON, for caches and what they refer to.
//
// It is for what a template says by itself. It calls no AWS API, expands no transform and knows no stack; what a left-out
// property means is known to package declared.
//
// The invariant that it keeps: an intrinsic function is evaluated only if its result is the same in every deployment: both
// branches of an Fn::If agree, a mapping's keys are known, a parameter has a default. Else the property is unknown, with
// the reason.
//
// Package scan calls Is and Read.
package cloudformation
