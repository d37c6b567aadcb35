// Package awspolicy has the IAM policies for the roles that safeguards take: one for scanning, which can read and nothing
// else, and one for remediation on top of it.
//
// They are for handing to whoever makes the roles. It knows no AWS account and calls nothing. The invariant: each policy
// allows the calls that Lethe makes and no others, which the tests check against the calls themselves; and what carries an
// exclusion tag is denied to remediation by AWS too, should Lethe ever be wrong.
//
// The raci command prints them.
package awspolicy

import _ "embed"

var (
	//go:embed scan.json
	scan string
	//go:embed remediate.json
	remediate string
)

// Scan is the policy of the role that scans and plans.
func Scan() string { return scan }

// Remediate is what the role that applies plans and watches needs besides Scan.
func Remediate() string { return remediate }
