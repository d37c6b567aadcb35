// Package awspolicy has the IAM policies for the roles that safeguards take: one for scanning, which can read and nothing
// else, and one for remediation on top of it; and the one for the people who create caches.
//
// They are for handing to whoever makes the roles. It knows no AWS account and calls nothing. The invariant: each policy
// allows the calls that Lethe makes and no others, which the tests check against the calls themselves; and what carries an
// exclusion tag is denied to remediation by AWS too, should Lethe ever be wrong. Neither remediation nor those who create
// caches can exclude one by tag: "?????:?????????:*" is lethe:exclusion: in every way of writing it large or small, since IAM
// compares tag keys by letter and Lethe reads none of these ways as nothing.
//
// The raci command prints them.
package awspolicy

import _ "embed"

var (
	//go:embed scan.json
	scan string
	//go:embed remediate.json
	remediate string
	//go:embed create.json
	create string
)

// Scan is the policy of the role that scans and plans.
func Scan() string { return scan }

// Remediate is what the role that applies plans and watches needs besides Scan.
func Remediate() string { return remediate }

// Create is the policy of the group whose members may create caches. The keys of its conditions are those of ElastiCache's
// page in the service authorization reference.
func Create() string { return create }
