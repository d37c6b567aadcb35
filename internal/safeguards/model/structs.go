package model

import (
	"fmt"
	"strings"
	"time"
)

// AuthUser is a user of a server or of a managed cache. It has no password, not even a hash of one.
type AuthUser struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	// NoPassword says that everyone who knows the name is in.
	NoPassword bool   `json:"no_password"`
	Method     string `json:"method,omitempty"` // password, iam, no-password, certificate; "" is not known
	Passwords  int64  `json:"passwords"`        // how many are valid
	AllKeys    bool   `json:"all_keys"`
	// AllChannels and AllCommands are the effect of &* and +@all, whatever takes parts away again.
	AllChannels bool `json:"all_channels"`
	AllCommands bool `json:"all_commands"`
	// Dangerous are the commands of DangerousCommands that the user may run, upper case.
	Dangerous []string `json:"dangerous,omitempty"`
	// WhyUnknown is why Dangerous could not be found out; empty means that it is complete.
	WhyUnknown string `json:"why_unknown,omitempty"`
	// Groups are the user groups that have the user; Idle is for how long it was not seen, 0 if that is not known.
	Groups []string      `json:"groups,omitempty"`
	Idle   time.Duration `json:"idle,omitempty"`
}

// Ingress is one rule of a security group that lets traffic in.
type Ingress struct {
	Group    string `json:"group"`             // the security group that has the rule
	Protocol string `json:"protocol"`          // tcp, udp, -1 for all
	FromPort int64  `json:"from_port"`         // 0 with Protocol -1
	ToPort   int64  `json:"to_port"`           // 65535 with Protocol -1
	CIDR     string `json:"cidr,omitempty"`    // IPv4 or IPv6; one of CIDR, Source and PrefixList is set
	Source   string `json:"source,omitempty"`  // another security group
	Prefix   string `json:"prefix,omitempty"`  // a prefix list whose members could not be read; else they are CIDRs
	Unknown  string `json:"unknown,omitempty"` // why the source of the traffic is not known
	Note     string `json:"note,omitempty"`    // where the rule is
}

// Certificate is what a server showed in its handshake.
type Certificate struct {
	ChainValid  bool      `json:"chain_valid"`
	NameMatches bool      `json:"name_matches"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	KeyType     string    `json:"key_type"` // RSA, ECDSA, Ed25519
	KeyBits     int64     `json:"key_bits"`
	Signature   string    `json:"signature"` // Go's name: SHA256-RSA
}

// ServiceUpdate is an update that AWS offers for a cache.
type ServiceUpdate struct {
	Name     string    `json:"name"`
	Severity string    `json:"severity"` // critical, important, medium, low
	Status   string    `json:"status"`   // not-applied, waiting-to-start, in-progress, complete, ...
	ApplyBy  time.Time `json:"apply_by"`
	SLAMet   string    `json:"sla_met,omitempty"` // yes, no, n/a
}

// Token is what can be said of a password or AUTH token without it.
type Token struct {
	Length int64 `json:"length"`
	ASCII  bool  `json:"ascii"` // printable ASCII only
	// Charsets are the profiles of characters that it fits: "api", "clinical" and "architecting" (see JudgeToken).
	Charsets []string `json:"charsets,omitempty"`
	Bits     int64    `json:"bits"` // estimated entropy, rounded down
	Common   bool     `json:"common"`
}

// Exclusion takes a resource out of remediation, for a time.
type Exclusion struct {
	Owner     string    `json:"owner"`
	Reason    string    `json:"reason"`
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expires_at"`
	NoPHI     bool      `json:"no_phi"` // the owner attests that there is no PHI inside
}

// TTLSample is what a sampled look at the times to live of a server's keys found. No key is in it.
type TTLSample struct {
	Keys          int64 `json:"keys"`     // of the server
	Sampled       int64 `json:"sampled"`  // looked at
	PHI           int64 `json:"phi"`      // of these, keys whose names look like PHI
	NoTTL         int64 `json:"no_ttl"`   // of PHI, without a time to live
	TooLong       int64 `json:"too_long"` // of PHI, above the ceiling
	CeilingMillis int64 `json:"ceiling_millis"`
	// Low and High bound the share of PHI-looking keys that break the ceiling, with 95% confidence (Wilson).
	Low   float64  `json:"low"`
	High  float64  `json:"high"`
	Marks []string `json:"marks,omitempty"` // keyed hashes of the names of some that do
}

// NameSample is what a sampled look at key names found. No key is in it.
type NameSample struct {
	Sampled int64            `json:"sampled"`
	Hits    map[string]int64 `json:"hits,omitempty"` // by kind: ssn, mrn, email, birth date
	Marks   []string         `json:"marks,omitempty"`
}

// ValueSample is what a look at parts of sampled values found. No value is in it.
type ValueSample struct {
	Sampled int64 `json:"sampled"` // long enough to judge
	Sealed  int64 `json:"sealed"`  // look encrypted
}

// String forms are for reports.

func (u AuthUser) String() string {
	state := "off"
	if u.Enabled {
		state = "on"
	}
	if u.NoPassword {
		state += ", no password"
	}
	if len(u.Dangerous) > 0 {
		state += ", may run " + strings.Join(u.Dangerous, " ")
	}
	return u.Name + " (" + state + ")"
}

func (i Ingress) String() string {
	from := i.CIDR + i.Source + i.Prefix
	if from == "" {
		from = "an unknown source"
	}
	return fmt.Sprintf("%s to ports %d-%d (%s, %s)", from, i.FromPort, i.ToPort, i.Protocol, i.Group)
}

func (c Certificate) String() string {
	return fmt.Sprintf("%s %d bits, %s, valid until %s, chain valid: %t, name matches: %t",
		c.KeyType, c.KeyBits, c.Signature, c.NotAfter.UTC().Format(time.DateOnly), c.ChainValid, c.NameMatches)
}

func (u ServiceUpdate) String() string {
	return fmt.Sprintf("%s (%s, %s, apply by %s)", u.Name, u.Severity, u.Status, u.ApplyBy.UTC().Format(time.DateOnly))
}

func (t Token) String() string {
	return fmt.Sprintf("[secret] of %d characters, about %d bits", t.Length, t.Bits)
}

func (e Exclusion) String() string {
	return fmt.Sprintf("of %s until %s (%s)", e.Owner, e.ExpiresAt.UTC().Format(time.DateOnly), e.Ticket)
}

func (s TTLSample) String() string {
	return fmt.Sprintf("%d of %d keys sampled, %d look like PHI, %d of them without a time to live, %d above %d ms; share that breaks it %.1f%% to %.1f%%",
		s.Sampled, s.Keys, s.PHI, s.NoTTL, s.TooLong, s.CeilingMillis, 100*s.Low, 100*s.High)
}

func (s NameSample) String() string {
	var hits int64
	for _, n := range s.Hits {
		hits += n
	}
	return fmt.Sprintf("%d names sampled, %d hold what looks like an identifier", s.Sampled, hits)
}

func (s ValueSample) String() string {
	return fmt.Sprintf("%d values sampled, %d look encrypted", s.Sampled, s.Sealed)
}
