package identity

import "strings"

// form is how users stand in a file.
type form struct {
	parse  func(src []byte, set CommandSet, leastIterations int) ([]*User, []Mistake)
	format func(users []*User) ([]byte, error)
}

// aclSuffix is what the name of a file in Redis's syntax ends with.
const aclSuffix = ".acl"

// form is that of the directory's file: Redis's own where the name says so.
func (d *Directory) form() form {
	if strings.HasSuffix(d.path, aclSuffix) {
		return form{parse: parseACLFile, format: d.formatACLFile}
	}
	return form{parse: parseUsers, format: formatUsers}
}
