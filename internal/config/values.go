package config

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

func address(into func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		host, port, err := net.SplitHostPort(text)
		if err != nil {
			return &valueError{"is not an address with a port", "write HOST:PORT, such as 127.0.0.1:6380 or [::1]:6380"}
		}
		if host == "" {
			return &valueError{"names no host", "write the address to listen on; 0.0.0.0 is all of them"}
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
			return &valueError{"has no port from 0 to 65535", "write HOST:PORT; port 0 takes a free one"}
		}
		*into(c) = text
		return nil
	}
}

// reachable is address for one that others are told: it names a port.
func reachable(into func(*Config) *string) func(*Config, string) error {
	set := address(into)
	return func(c *Config, text string) error {
		if err := set(c, text); err != nil {
			return err
		}
		if _, port, _ := net.SplitHostPort(text); port == "0" {
			return &valueError{"names no port", "write HOST:PORT as clients reach it"}
		}
		return nil
	}
}

func path(into func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if strings.IndexByte(text, 0) >= 0 {
			return &valueError{"is not a path", "write the path of a file or directory"}
		}
		*into(c) = text
		return nil
	}
}

func choice(into func(*Config) *string, choices ...string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if !slices.Contains(choices, text) {
			return &valueError{"is none of its choices", "write " + strings.Join(choices, " or ")}
		}
		*into(c) = text
		return nil
	}
}

func names(into func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, text string) error {
		var list []string
		for _, name := range strings.Split(text, ",") {
			name = strings.TrimSpace(name)
			if name == "" || strings.ContainsAny(name, " \t/") {
				return &valueError{"is not a list of names", "write host names and addresses with commas between them"}
			}
			list = append(list, name)
		}
		*into(c) = list
		return nil
	}
}

func number(least, most int, into func(*Config) *int) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return &valueError{"is not a number in its range", fmt.Sprintf("write a whole number from %d to %d", least, most)}
		}
		*into(c) = n
		return nil
	}
}

func size(least, most int64, into func(*Config) *int64) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := parseSize(text, least, most)
		if err != nil {
			return err
		}
		*into(c) = n
		return nil
	}
}

// units are binary. Decimal ones are left out: nobody agrees on what 2GB is.
var units = [...]struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// parseSize reads a whole number of bytes, or of a binary unit.
func parseSize(text string, least, most int64) (int64, error) {
	mend := fmt.Sprintf("write a size from %s to %s, such as 512MiB or 2GiB", formatSize(least), formatSize(most))
	digits, factor := text, int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			digits, factor = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/factor {
		return 0, &valueError{"is not a size", mend}
	}
	if bytes := int64(n) * factor; bytes >= least && bytes <= most {
		return bytes, nil
	}
	return 0, &valueError{"is out of its range", mend}
}

// formatSize writes bytes in the largest unit that divides them.
func formatSize(bytes int64) string {
	for _, u := range units {
		if bytes >= u.bytes && bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

func duration(least, most time.Duration, into func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, text string) error {
		mend := fmt.Sprintf("write a duration from %s to %s, such as 90s, 15m or 24h", least, most)
		d, err := time.ParseDuration(text)
		if err != nil {
			return &valueError{"is not a duration", mend}
		}
		if d < least || d > most {
			return &valueError{"is out of its range", mend}
		}
		*into(c) = d
		return nil
	}
}

// orOff accepts the word off beside what set accepts: zero never means none.
func orOff(set func(*Config, string) error, off func(*Config)) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text == "off" {
			off(c)
			return nil
		}
		return set(c, text)
	}
}
