// Package seal is what PHI passes on its way out of the process: the sealed format, the data keys that it is sealed with
// and their short lives, the pseudonyms that stand for key names, and the sharing of all this between gateways.
//
// It is not the place for anything that knows a command, a connection or an upstream's type of store, and it keeps nothing
// on disk: package secret has the keys that do.
//
// Invariants. A data key serves deadlines of one short slice of time and is erased, in every form that this process has of
// it, when the slice has passed; nobody is able to open afterwards what was sealed with it. Opening tells apart what cannot
// be opened any more from what was altered, and returns no byte of either. Plaintext is written to memory that the caller
// gave, and nothing of it stays here.
//
// The format is docs/spec/seal.md; what is opened here may have been written by anybody who can write to the upstream.
//
// Package upstream is the only caller; cli builds the ring.
package seal
