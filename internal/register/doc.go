// Package register keeps named texts that all gateways of a cluster have alike, such as users: of two changes of one text
// the later stands everywhere, and what somebody removed stays removed until somebody adds it again.
//
// It knows neither what the texts say nor how gateways speak. Whoever owns the texts tells it what they are here (Observe)
// and carries out what others changed (Wins, then Take).
//
// The invariant: two registers that have taken the same changes hold the same entries, in whatever order these came; and
// what a register says that it knows of others is on the disk.
//
// gateway uses it for users; fleet carries its batches.
package register
