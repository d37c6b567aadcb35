package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

const (
	// firstPort begins the ports that servers of tests are given; those of cluster buses are behind them.
	firstPort = 12_000
	manyPorts = 10_000
	// aboveForBus is by how much the port of a cluster's bus is above that of its node.
	aboveForBus = 10_000
)

// freePort is a port that is the test's until it ends, and so is that of a cluster's bus above it: redis-server takes port 0 as "none", so
// it cannot find one itself, and one that is killed is started again at the same place. Ports that the system gives to whoever asks
// for any, or connects, are none of them: somebody else would have got it before the server listens, or while it is killed.
func freePort(t testing.TB) int {
	t.Helper()
	for range 10 * manyPorts {
		port := firstPort + rand.IntN(manyPorts)
		held, err := net.Listen("unix", fmt.Sprintf("@lethe-test-port-%d", port)) // no file: other tests' processes see it, and it ends with this one
		if err != nil {
			continue
		}
		if listens(port) || listens(port+aboveForBus) {
			held.Close()
			continue
		}
		t.Cleanup(func() { held.Close() })
		return port
	}
	t.Fatal("there is no free port")
	return 0
}

// listens reports whether somebody has a port.
func listens(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		l.Close()
	}
	return err != nil
}
