package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// liveFlags are for running servers.
type liveFlags struct {
	passwordFile, ca, cert, key string
	timeout, longest            time.Duration
	keys, rate                  int
	values                      bool
}

func (l *liveFlags) register(f *pflag.FlagSet) {
	f.StringVar(&l.passwordFile, "password-file", "", "servers: file with the password; it is sent only over TLS with a trusted certificate, or a unix socket")
	f.StringVar(&l.ca, "ca", "", "servers: PEM file of authorities to trust (default: the system's)")
	f.StringVar(&l.cert, "cert", "", "servers: PEM file of a client certificate")
	f.StringVar(&l.key, "key", "", "servers: PEM file of its key")
	f.DurationVar(&l.timeout, "timeout", 5*time.Second, "servers: longest time for a connection or an answer")
	f.IntVar(&l.keys, "sample-keys", 0, "servers: look at the names and times to live of so many keys (default: none)")
	f.IntVar(&l.rate, "sample-rate", 2000, "servers: keys a second at most")
	f.DurationVar(&l.longest, "sample-time", time.Minute, "servers: longest time for the sample")
	f.BoolVar(&l.values, "sample-values", false, "servers: look at the beginning of sampled values too, for whether they are encrypted")
}

// target completes a server's address with the flags.
func (l *liveFlags) target(argument string) (live.Target, error) {
	t, err := live.ParseTarget(argument)
	if err != nil {
		return t, fail(exitUsage, "write redis://USER@HOST:PORT and give the password by --password-file", err)
	}
	t.Timeout = l.timeout
	t.Sample = live.Sample{Keys: l.keys, PerSecond: l.rate, Longest: l.longest, Values: l.values}
	if l.passwordFile != "" {
		if _, err := os.Stat(l.passwordFile); err != nil {
			return t, fail(exitUsage, "", fmt.Errorf("cannot read password: %w", err))
		}
		t.Password = l.password
	}
	if l.ca != "" {
		src, err := os.ReadFile(l.ca)
		if err != nil {
			return t, fail(exitUsage, "", fmt.Errorf("cannot read authorities: %w", err))
		}
		t.Roots = x509.NewCertPool()
		if !t.Roots.AppendCertsFromPEM(src) {
			return t, fail(exitUsage, "", errors.New("cannot read authorities: there is no certificate in the file"))
		}
	}
	if l.cert != "" || l.key != "" {
		c, err := tls.LoadX509KeyPair(l.cert, l.key)
		if err != nil {
			return t, fail(exitUsage, "give both --cert and --key", fmt.Errorf("cannot read client certificate: %w", err))
		}
		t.Client = &c
	}
	return t, nil
}

// password reads the file when it is needed; one line end is no part of it.
func (l *liveFlags) password() []byte {
	src, err := os.ReadFile(l.passwordFile)
	if err != nil {
		return []byte{}
	}
	return bytes.TrimRight(src, "\r\n")
}

// addTargets sorts the arguments.
func addTargets(ctx context.Context, o *scan.Options, parts safeguardsParts, flags scanFlags, args []string) error {
	for _, a := range args {
		switch {
		case live.IsTarget(a):
			t, err := flags.live.target(a)
			if err != nil {
				return err
			}
			o.Servers = append(o.Servers, t)
		case a == "aws" || strings.HasPrefix(a, "aws:"):
			if parts.aws == nil {
				return fail(exitUsage, "scan its code or its plan", errors.New("this build cannot scan AWS accounts"))
			}
			source, err := parts.aws(ctx, a)
			if err != nil {
				return fail(exitUsage, "", err)
			}
			o.Sources = append(o.Sources, source)
		case strings.Contains(a, "://"):
			return fail(exitUsage, "a target is a path, redis://HOST:PORT, unix:///PATH or aws", errors.New("the scheme of a target is not known"))
		default:
			o.Paths = append(o.Paths, a)
		}
	}
	return nil
}

// chooseRules finds the profile by name or reads it from a file.
func chooseRules(parts safeguardsParts, name string) (*chosenRules, error) {
	if name == "" {
		name = profile.Default
	}
	p := profile.Builtin(name)
	if p == nil {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fail(exitUsage, "the profiles are "+strings.Join(profile.Names(), ", ")+", and YAML files", fmt.Errorf("cannot read profile: %w", err))
		}
		var mistakes []profile.Mistake
		if p, mistakes = profile.Parse(src); p == nil {
			return nil, fail(exitUsage, "docs/safeguards.md explains profiles", fmt.Errorf("cannot read profile: %s:%s", name, mistakes[0]))
		}
	}
	c := &chosenRules{name: p.Name, rules: rules.Catalogue(), settings: p.Settings}
	if len(p.Custom) == 0 {
		return c, nil
	}
	if parts.compile == nil {
		return nil, fail(exitUsage, "leave out `custom`", errors.New("this build has no custom rules"))
	}
	own, err := parts.compile(p.Custom)
	if err != nil {
		return nil, fail(exitUsage, "docs/safeguards.md explains custom rules", fmt.Errorf("cannot read profile: %w", err))
	}
	c.rules = append(c.rules, own...)
	return c, nil
}
