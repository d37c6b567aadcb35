package cli

import (
	"crypto/fips140"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the release that this source is.
const Version = "0.1.0"

func newVersionCommand(env *environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the Go version and the FIPS 140-3 state",
		Example: "  lethe version\n  lethe version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			module := fipsModule()
			if asJSON {
				return json.NewEncoder(env.stdout).Encode(map[string]any{
					"version": Version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
					"fips140": fips140.Enabled(), "fips140_module": module,
				})
			}
			_, err := fmt.Fprintf(env.stdout, "lethe %s\n%s %s/%s\nFIPS 140-3 mode: %s (module %s)\n",
				Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, fipsState(), module)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// fipsState says whether the program runs in FIPS 140-3 mode.
func fipsState() string {
	if fips140.Enabled() {
		return "on"
	}
	return "off"
}

// fipsModule names the Go Cryptographic Module that this binary was built with ("latest" is the toolchain's own).
func fipsModule() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "GOFIPS140" {
			return s.Value
		}
	}
	return "latest"
}
