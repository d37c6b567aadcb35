package cli

import (
	"errors"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/config"
)

// resolve turns what was written into where servers are.
func (f *migrateFlags) resolve() error {
	if f.from == "" {
		return errors.New("--from is missing")
	}
	if err := f.resolveSource(); err != nil {
		return err
	}
	switch {
	case f.apply && f.to == "":
		return errors.New("--apply needs --to")
	case f.to != "" && f.target.TokenFile == "":
		return errors.New("--to needs --token-file: a Lethe answers nobody without a token")
	case f.rate < 0:
		return errors.New("--rate cannot be less than 0")
	case f.progress != "auto" && f.progress != "on" && f.progress != "off":
		return errors.New("--progress is auto, on or off")
	case f.apply && f.state == "":
		return errors.New("--state cannot be empty")
	}
	f.target.Mode, f.target.TLS = config.UpstreamStandalone, config.UpstreamTLS13
	to := strings.TrimPrefix(f.to, "rediss://")
	if strings.Contains(to, "/") {
		return errors.New("--to is HOST:PORT of a Lethe, which speaks TLS only")
	}
	if to != "" {
		f.target.Addresses = []string{to}
	}
	return nil
}

func (f *migrateFlags) resolveSource() error {
	u, err := url.Parse(strings.ReplaceAll(f.from, ",", "%2C"))
	if err != nil {
		return errors.New("--from is no URL: write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH") // the text may hold a password
	}
	if u.User != nil {
		return errors.New("--from has a user or a password in it, which every process of this machine can read: use --from-user and --from-token-file")
	}
	s := &f.source
	switch u.Scheme {
	case "redis":
		s.PlainText, s.TLS = true, config.UpstreamTLSOff
	case "rediss":
	case "unix":
		s.PlainText, s.TLS, s.Addresses = true, config.UpstreamTLSOff, []string{u.Path}
		return f.modeFits()
	default:
		return errors.New("--from begins with redis://, rediss:// or unix://")
	}
	for _, a := range strings.Split(u.Host, ",") {
		if !strings.Contains(a, ":") {
			a += ":6379"
		}
		s.Addresses = append(s.Addresses, a)
	}
	if db := strings.Trim(path.Clean("/"+u.Path), "/"); db != "" {
		if f.database, err = strconv.Atoi(db); err != nil || f.database < 0 {
			return errors.New("--from ends with the number of a database, or with none")
		}
	}
	return f.modeFits()
}

// modeFits checks what upstream.New cannot see.
func (f *migrateFlags) modeFits() error {
	s := &f.source
	switch s.Mode {
	case config.UpstreamStandalone, config.UpstreamSentinel, config.UpstreamCluster:
	default:
		return errors.New("--from-mode is standalone, sentinel or cluster")
	}
	if s.TLS != config.UpstreamTLSOff && s.TLS != config.UpstreamTLS13 && s.TLS != config.UpstreamTLS12 {
		return errors.New("--from-tls is 1.3 or 1.2")
	}
	if s.Mode == config.UpstreamCluster && f.database != 0 {
		return errors.New("a cluster has no databases but 0")
	}
	if s.User != "" && s.TokenFile == "" {
		return errors.New("--from-user needs --from-token-file")
	}
	return nil
}
