// Package failpoint names the steps between which a process may be killed, and kills it there: for tests, in binaries that
// are built with -tags failpoints. It is for the steps whose order keeps a promise, where a crash must not leave an effect
// without its record, an entry without its deadline, or a change of consent half done. It is not for returning errors: faults
// of disks and networks are injected outside of the process.
//
// The invariant: without the tag Here is empty and its argument a constant, so that nothing of it is in the binary.
//
// The packages that have such steps call it; conformance (TestKilledBetweenAnyTwoSteps) arms one point after another.
package failpoint
