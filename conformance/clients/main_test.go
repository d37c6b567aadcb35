package clients

import (
	"flag"
	"os"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

var others = flag.Bool("others", false, "run the clients of other languages too; they are installed first")

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }
