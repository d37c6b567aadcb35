package identity

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Conditions bound what a user may do beside permissions and tenants. The zero Conditions bound nothing.
type Conditions struct {
	Sources      []netip.Prefix // addresses that the user may come from; none: any
	Hours        Hours          // when the user may be in
	Purpose      string         // of use, for connections that state none
	Purposes     []string       // of use, that connections may state; none: any that Lethe knows
	Categories   []string       // of the policy, that the user may reach; none: all
	Certificates []string       // names of client certificates ("cn:", "dns:", "uri:"), one of which a connection must show; none: no certificate
	PerSecond    int            // commands of the user's connections together; 0: no limit of its own
}

// attribute is a property of a user beside name, rules and tokens: a field of users.yaml, and a word NAME=VALUE of ACL
// SETUSER and of a file in Redis's syntax. Lists are written with commas. A value holds no white space.
type attribute struct {
	name string
	set  func(u *User, value string) error // "" takes it back
	get  func(u *User) string              // "" when it says nothing
}

// attributes is every attribute, in the order in which they are written.
func attributes() []attribute {
	return []attribute{
		{"tenants", setTenants, func(u *User) string { return strings.Join(u.Tenants, ",") }},
		{"roles", setRoles, func(u *User) string { return strings.Join(u.Roles, ",") }},
		{"owner", setOwner, func(u *User) string { return u.Owner }},
		{"ends", setEnd, func(u *User) string { return formatTime(u.EndsAt) }},
		{"sources", setSources, sourcesText},
		{"hours", setHours, func(u *User) string { return u.Hours.String() }},
		{"purpose", setPurpose, func(u *User) string { return u.Purpose }},
		{"purposes", setPurposes, func(u *User) string { return strings.Join(u.Purposes, ",") }},
		{"categories", setCategories, func(u *User) string { return strings.Join(u.Categories, ",") }},
		{"certificates", setCertificates, func(u *User) string { return strings.Join(u.Certificates, ",") }},
		{"rate", setRate, rateText},
	}
}

func findAttribute(name string) (attribute, bool) {
	all := attributes()
	i := slices.IndexFunc(all, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return attribute{}, false
	}
	return all[i], true
}

// Attribute returns an attribute of the user as it is written, "" when it says nothing.
func (u *User) Attribute(name string) string {
	if a, ok := findAttribute(name); ok {
		return a.get(u)
	}
	return ""
}

// AttributeNames lists the attributes in the order in which they are written.
func AttributeNames() []string {
	var names []string
	for _, a := range attributes() {
		names = append(names, a.name)
	}
	return names
}

// list splits a value at commas; nil for "".
func list(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

func setTenants(u *User, value string) error {
	tenants := list(value)
	if err := checkTenants(tenants); err != nil {
		return err
	}
	u.Tenants = tenants
	return nil
}

func setOwner(u *User, value string) error {
	const most = 128
	if len(value) > most || strings.IndexFunc(value, func(r rune) bool { return !nameRune(r) && r != '@' && r != '+' }) >= 0 {
		return &inputError{"cannot use the owner: it is no name or address", "write at most 128 letters, digits and . _ - + @, such as an e-mail address"}
	}
	u.Owner = value
	return nil
}

func setEnd(u *User, value string) error {
	if value == "" {
		u.EndsAt = time.Time{}
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil && !t.IsZero() {
			u.EndsAt = t.UTC()
			return nil
		}
	}
	return &inputError{"cannot use the end: it is not a time", "write 2027-01-31 or 2027-01-31T15:04:05Z"}
}

// setSources reads addresses and ranges. A range whose address has bits beyond its length is more likely a typing error
// than meant, so it is refused.
func setSources(u *User, value string) error {
	var ranges []netip.Prefix
	for _, text := range list(value) {
		p, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); addrErr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Masked() != p || p.Addr().Is4In6() {
			return &inputError{"cannot use the sources: one is no address and no range", "write 10.1.0.0/16,192.0.2.7,2001:db8::/32; an address ends in zeros behind the length of its range"}
		}
		ranges = append(ranges, p)
	}
	u.Sources = ranges
	return nil
}

func sourcesText(u *User) string {
	var texts []string
	for _, p := range u.Sources {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

func setHours(u *User, value string) (err error) {
	u.Hours, err = ParseHours(value)
	return err
}

func setPurpose(u *User, value string) error {
	if value != "" {
		if err := checkPurpose(value); err != nil {
			return err
		}
	}
	u.Purpose = value
	return nil
}

func setPurposes(u *User, value string) error {
	purposes := list(value)
	for _, p := range purposes {
		if err := checkPurpose(p); err != nil {
			return err
		}
	}
	u.Purposes = purposes
	return nil
}

func setCategories(u *User, value string) error {
	categories := list(value)
	for _, c := range categories {
		if c == "" || len(c) > maxNameBytes || strings.Trim(c, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return &inputError{"cannot use the categories: one is no category's name", "write names of the policy, such as phi,session"}
		}
	}
	u.Categories = categories
	return nil
}

// maxRate is more than any server does.
const maxRate = 1_000_000_000

func setRate(u *User, value string) error {
	if value == "" {
		u.PerSecond = 0
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxRate {
		return &inputError{"cannot use the rate: it is not a number of commands a second", fmt.Sprintf("write a whole number from 1 to %d", maxRate)}
	}
	u.PerSecond = n
	return nil
}

func rateText(u *User) string {
	if u.PerSecond == 0 {
		return ""
	}
	return strconv.Itoa(u.PerSecond)
}
