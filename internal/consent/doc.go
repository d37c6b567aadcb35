// Package consent keeps which patients have withdrawn their consent, and proves what came of it: revocations and their
// fences, their journal on disk, and the signed receipts.
//
// It is for deciding, on the way of every command, whether entries of a subject may be read or written (Store); for
// finding the patients that a FHIR value is about (Finder, Marks); and for carrying a change out everywhere and saying so
// in a receipt (Keeper). It knows neither the wire protocol nor the engine: whoever holds entries erases them as a Gateway.
//
// The invariant: a subject that was revoked is neither readable nor writable from the moment when Store.Apply returns, and
// is not writable until a whole fence after the revocation has ended, however it ended; what Keeper acknowledged is on
// disk, sealed, and holds after a restart. Subjects are kept in memory as keyed hashes only.
//
// The gateway asks the Store; cli builds the Keeper and serves it to the command line and to package admin.
package consent
