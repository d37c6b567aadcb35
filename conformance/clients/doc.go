// Package clients shows that the clients which applications use work on Lethe unchanged. A short program for each connects
// to the real binary over TLS 1.3 with a user and a token and works through the same steps, in every protocol that the
// client speaks.
//
// Libraries that bring scripts of their own, for locks, limits and queues, run too, as they are published.
//
// It has tests only. Go's clients are tests themselves; those of other languages are programs in the directories beside
// them, which the test installs, runs and reads. They need npm, pip, Maven, Ruby or a C compiler and the network, so they run
// where the flag says so: `make test-clients` installs what is missing and runs all of them.
package clients
