package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Go supports (proc(5)).
const clockTick = 10 * time.Millisecond

// cpuTime is the time that all threads of a process have run so far, in user and in kernel mode.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read the CPU time of a server: %w", err)
	}
	return parseStat(string(stat))
}

// parseStat reads fields 14 and 15 of /proc/PID/stat. The name, field 2, may hold spaces and parentheses.
func parseStat(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const firstField, utime, stime = 3, 14, 15
	if len(fields) <= stime-firstField {
		return 0, errors.New("cannot read the CPU time of a server: /proc/PID/stat is too short")
	}
	user, err1 := strconv.ParseInt(fields[utime-firstField], 10, 64)
	system, err2 := strconv.ParseInt(fields[stime-firstField], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("cannot read the CPU time of a server: %w", err)
	}
	return time.Duration(user+system) * clockTick, nil
}

// ownCPU is the time that this process has run so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("BUG: cannot read the CPU time of this process: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is what a process holds in memory, in bytes. Anonymous is the part of it that no file backs; a mapped audit
// segment is in Total only.
type resident struct{ Total, Anonymous int64 }

// residentOf reads smaps_rollup, which is exact, or status where the kernel does not show that: a process that keeps itself
// out of core dumps hides it from all but root.
func residentOf(pid int) (resident, error) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)); err == nil {
		return parseResident(string(text), "Rss:", "Anonymous:")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return resident{}, fmt.Errorf("cannot read the memory of a server: %w", err)
	}
	return parseResident(string(text), "VmRSS:", "RssAnon:")
}

// parseResident reads two lines of the form "Name:  123 kB".
func parseResident(text, total, anonymous string) (r resident, err error) {
	for _, want := range []struct {
		name string
		to   *int64
	}{{total, &r.Total}, {anonymous, &r.Anonymous}} {
		kilobytes, err := kilobytesOf(text, want.name)
		if err != nil {
			return r, err
		}
		*want.to = kilobytes << 10
	}
	return r, nil
}

func kilobytesOf(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name && f[2] == "kB" {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("cannot read the memory of a server: there is no line %s", name)
}
