// Package osv knows which published vulnerabilities a version of Redis or Valkey has, from a bundled file in the form of
// OSV (https://ossf.github.io/osv-schema/).
//
// It is for versions that their makers released. It does not know what distributions and AWS patch without a new version
// number (rules says so where it uses the answer), looks nothing up on a network and judges nothing.
//
// The invariant that it keeps: a version that it cannot place is an error, never a version without vulnerabilities.
//
// Rule VER-05 asks it. A Database does not change and may be used by any number of goroutines.
package osv

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed records.json
var bundled []byte

// BundledUntil is the day up to which the bundled records were gathered.
const BundledUntil = "2026-08-05"

// Vulnerability is one that a version has.
type Vulnerability struct {
	ID       string // CVE-2024-46981
	Severity string // low, medium, high, critical
	Fixed    string // the release of this line that mends it; "" if there is none
}

// Database is a set of records.
type Database struct{ records []record }

type record struct {
	ID       string `json:"id"`
	Specific struct {
		Severity string `json:"severity"`
	} `json:"database_specific"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Type   string  `json:"type"`
			Events []event `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
}

type event struct {
	Introduced string `json:"introduced,omitempty"`
	Fixed      string `json:"fixed,omitempty"`
}

// Bundled returns the database that Lethe ships.
func Bundled() *Database {
	db, err := Parse(bundled)
	if err != nil {
		panic("BUG: the bundled vulnerabilities cannot be read: " + err.Error())
	}
	return db
}

// Parse reads a JSON list of OSV records whose ranges are of type SEMVER. It checks every version in it, so that Find
// cannot meet one that it does not understand.
func Parse(src []byte) (*Database, error) {
	db := &Database{}
	if err := json.Unmarshal(src, &db.records); err != nil {
		return nil, fmt.Errorf("cannot read vulnerabilities: %w", err)
	}
	for _, r := range db.records {
		for _, a := range r.Affected {
			for _, g := range a.Ranges {
				if err := checkEvents(g.Type, g.Events); err != nil {
					return nil, fmt.Errorf("cannot read vulnerability %s: %w", r.ID, err)
				}
			}
		}
	}
	return db, nil
}

// checkEvents wants introduced and fixed in turn, ascending: public data has had pairs the wrong way round, which would
// hide the range between them.
func checkEvents(kind string, events []event) error {
	if kind != "SEMVER" {
		return fmt.Errorf("ranges of type %q are not supported", kind)
	}
	var last Version
	for i, e := range events {
		if (e.Introduced == "") != (i%2 == 1) || (e.Fixed == "") != (i%2 == 0) {
			return fmt.Errorf("event %d is not in turn", i+1)
		}
		v, err := ParseVersion(e.Introduced + e.Fixed)
		if err != nil {
			return err
		}
		if i > 0 && v.Compare(last) <= 0 {
			return fmt.Errorf("event %d is not after the one before it", i+1)
		}
		last = v
	}
	return nil
}

// Find returns the vulnerabilities of a release, the gravest first. v must be full; the engine is "redis" or "valkey".
func (db *Database) Find(engine string, v Version) ([]Vulnerability, error) {
	if engine != "redis" && engine != "valkey" {
		return nil, fmt.Errorf("cannot look up vulnerabilities: there are none bundled for %s", engine)
	}
	if !v.Full() {
		return nil, fmt.Errorf("cannot look up vulnerabilities: the version does not name one release")
	}
	var found []Vulnerability
	for _, r := range db.records {
		for _, a := range r.Affected {
			if a.Package.Name != engine {
				continue
			}
			for _, g := range a.Ranges {
				if fixed, hit := affects(g.Events, v); hit {
					found = append(found, Vulnerability{ID: r.ID, Severity: r.Specific.Severity, Fixed: fixed})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b Vulnerability) int {
		if d := rank(b.Severity) - rank(a.Severity); d != 0 {
			return d
		}
		return strings.Compare(b.ID, a.ID)
	})
	return found, nil
}

// affects walks the checked events of a range.
func affects(events []event, v Version) (fixed string, hit bool) {
	for _, e := range events {
		at, err := ParseVersion(e.Introduced + e.Fixed)
		if err != nil {
			panic("BUG: a version was not checked: " + err.Error())
		}
		if at.Compare(v) > 0 {
			if hit {
				return e.Fixed, true
			}
			return "", false
		}
		hit = e.Introduced != ""
	}
	return "", hit
}

func rank(severity string) int {
	return slices.Index([]string{"low", "medium", "high", "critical"}, severity)
}
