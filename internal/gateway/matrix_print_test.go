package gateway_test

import "github.com/lethe-cache/lethe/internal/command"

func printMatrix(table *command.Table, found cells) string { return "" }
