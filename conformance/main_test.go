package conformance

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

var (
	update = flag.Bool("update", false, "rewrite README.md")
	long   = flag.Bool("long", false, "run the long forms: 10,000 connections, more random steps")
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// patience is for how long a test waits for what has to come: on a machine that runs many tests at once a process may not run for
// seconds. How long something takes is shown elsewhere.
const patience = time.Minute

// singleTenant is the policy of the comparisons.
const singleTenant = "../examples/policies/single-tenant.yaml"
