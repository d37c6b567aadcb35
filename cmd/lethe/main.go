// Command lethe is a Redis-compatible cache for protected health information that is certain to forget.
package main

import (
	"os"

	"github.com/lethe-cache/lethe/internal/cli"
)

func main() { os.Exit(cli.Main()) }
