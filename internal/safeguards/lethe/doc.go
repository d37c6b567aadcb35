// Package lethe reads how a Lethe is set up: its settings file, its policy, its data directory.
//
// It is for facts that a file can change. What no setting changes (TLS 1.3 alone, a login before every command, a bound on
// memory) is not read here, and no rule is evaluated for it; of a running Lethe the handshakes tell (package live).
//
// The invariant that it keeps: a file that `lethe serve` would refuse is unknown as a whole, with the mistake. Of a data
// directory the modes of files, the certificates and the users file are looked at; no key is opened, and no hash of a token
// leaves this package.
//
// Package scan calls it.
package lethe
