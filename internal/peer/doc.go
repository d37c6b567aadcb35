// Package peer says who is at the other end of a connection before it has sent a command: whose certificate it has shown,
// and, behind a balancer, from which address it comes.
//
// It decides no user (identity does) and moves no bytes (server does): a certificate is judged in a callback of crypto/tls,
// a PROXY header is parsed from bytes that were read.
//
// Invariants: a certificate whose chain, purpose or revocation cannot be judged is refused, also on a resumed session; an
// address is believed from balancers that the settings name and from nobody else.
//
// cli builds a Trust and a Balancers; server calls them.
package peer
