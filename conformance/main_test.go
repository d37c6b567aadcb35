package conformance

import (
	"flag"
	"os"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

var (
	update = flag.Bool("update", false, "rewrite README.md")
	long   = flag.Bool("long", false, "run the long forms: 10,000 connections, more random steps")
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// singleTenant is the policy of the comparisons.
const singleTenant = "../examples/policies/single-tenant.yaml"
