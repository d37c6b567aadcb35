// Package oidc checks JSON Web Tokens of one OpenID provider and says whose they are.
//
// It is an identity.Provider. It is no OpenID client: nobody logs in through it, and a token is good for as long as it says.
// Permissions are not in tokens either; claims name tenants and roles, which Lethe's own tables give a meaning.
//
// Invariants: issuer, audience and algorithms are pinned, so that a token cannot choose how it is checked; a key that is
// not known costs one fetch in a while, however many tokens ask for it; no token and no claim is in an error.
//
// cli builds it; identity.Directory calls it.
package oidc
