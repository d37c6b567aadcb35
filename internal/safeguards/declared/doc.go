// Package declared says what caches are like that code for AWS declares: Terraform, its plans, and CloudFormation. The
// readers of these turn their files into Blocks, in Terraform's words; Resources makes model.Resources of them.
//
// It is for knowing AWS's defaults in one place: what a left-out argument means. It parses nothing and judges nothing.
//
// The invariant that it keeps: a left-out argument becomes its documented default, an argument that is there but cannot be
// evaluated becomes unknown, and neither becomes the other. The text of an AUTH token or password goes no further than
// model.JudgeToken.
//
// Packages terraform and cloudformation call it.
package declared
