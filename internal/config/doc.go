// Package config is the settings of `lethe serve`: what they are called, what they may be, and where their values come from.
//
// One table drives everything: flags, environment variables, the file, help texts, the listing of `lethe config`. It is not
// the policy (package policy) nor the users (package identity), and it opens nothing that a setting names.
//
// Invariant: a [Config] exists only when every given value, overridden ones included, is known and valid; a mistake in any
// place stops the start and says where it is and how to mend it.
//
// It is called by cli.
package config
