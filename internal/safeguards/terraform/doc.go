// Package terraform reads Terraform: modules in HCL as they stand in a repository, and plans as `terraform show -json`
// writes them.
//
// It is for finding caches and what they refer to. It runs no provider, downloads no module and reads no state, and what
// AWS does with an argument that is left out is known to package declared, not here.
//
// The invariant that it keeps: an expression is evaluated only from literals, defaults of variables, values files, locals
// and the arguments of local modules. Whatever else it needs makes the argument unknown, and the reason names what it was.
// Nothing that code can say makes reading it slow or large: files, nesting, modules, instances and values have limits.
//
// Package scan calls ReadDir for each directory with Terraform in it, and ReadPlan.
package terraform
