// Package secret keeps what must not be seen: secret bytes in memory, and the key material in the data directory.
//
// It is for keys, tokens and the files that hold them: the wrapping key, the sealed keys under it, the authority and the
// server certificate. It is not for cached data (package engine) nor for the keys that seal PHI, which never touch a disk.
//
// Invariants: no printer shows the bytes of a [Bytes]; no private key is written to a disk in clear, the wrapping key
// excepted; no file is trusted that another user of the machine could have read or written.
//
// It is called by identity (file writes), audit (its keys), server (the certificate) and cli.
package secret
