package cli

import (
	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
)

// attributeHelp says what each attribute of a user is, in the order of help texts. Tenants have a flag of their own.
var attributeHelp = []struct{ name, help string }{
	{"roles", "ready rules: application, read-only, operator, auditor, privacy-officer, break-glass"},
	{"owner", "who answers for the user, such as an e-mail address"},
	{"ends", "when the user ends by itself: 2027-01-31 or an RFC 3339 time"},
	{"sources", "addresses and ranges that the user may come from"},
	{"hours", "when the user may be in: mon-fri/07:00-19:00@Europe/Berlin"},
	{"purpose", "the purpose of use of connections that state none"},
	{"purposes", "the purposes of use that connections may state"},
	{"categories", "the categories of the policy that the user may reach"},
	{"certificates", "names of client certificates that are the user's: cn:NAME, dns:NAME, uri:URI or uri:PREFIX/*"},
	{"rate", "commands a second of all the user's connections"},
}

// attributeFlags adds a flag for each attribute. What it returns gives those that were used, by name.
func attributeFlags(cmd *cobra.Command) func() map[string]string {
	for _, a := range attributeHelp {
		cmd.Flags().String(a.name, "", a.help)
	}
	return func() map[string]string {
		given := map[string]string{}
		for _, a := range attributeHelp {
			if f := cmd.Flags().Lookup(a.name); f.Changed {
				given[a.name] = f.Value.String()
			}
		}
		return given
	}
}

// attributesOf lists what a user's attributes say, tenants left out.
func attributesOf(user *identity.User) map[string]string {
	said := map[string]string{}
	for _, a := range attributeHelp {
		if value := user.Attribute(a.name); value != "" {
			said[a.name] = value
		}
	}
	return said
}
