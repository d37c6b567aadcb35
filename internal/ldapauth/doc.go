// Package ldapauth checks names and passwords against an LDAP directory, Active Directory among them, and says what its
// groups mean here.
//
// It is an identity.Provider. It writes nothing to the directory and keeps no password: what was found is remembered by
// identity, for a bounded time, and looked up again without the password.
//
// Invariants: nothing goes over a connection without TLS; a name is escaped wherever it is put, and one that could need
// it in a user's name is refused before; an empty password is refused, since LDAP takes it as a bind of nobody; a user in
// no mapped group is refused.
//
// cli builds it; identity.Directory calls it.
package ldapauth
