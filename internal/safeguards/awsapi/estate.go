package awsapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Estate is the file that says which accounts there are.
//
//	accounts:
//	  - {account: "111111111111", role: arn:aws:iam::111111111111:role/lethe-scan, external_id: secret, regions: [eu-central-1]}
//	exclusions: exclusions.yaml   # relative to this file
//	journal: scan.journal         # of killed scans, relative to this file
type Estate struct {
	Targets    []Target
	Exclusions string
	Journal    string
}

// ReadEstate reads the file; a mistake in one account refuses it whole, since an account that is left out looks like one
// without findings.
func ReadEstate(src []byte) (*Estate, error) {
	var f struct {
		Accounts []struct {
			Account    string   `yaml:"account"`
			Role       string   `yaml:"role"`
			ExternalID string   `yaml:"external_id"`
			Regions    []string `yaml:"regions"`
		} `yaml:"accounts"`
		Exclusions string `yaml:"exclusions"`
		Journal    string `yaml:"journal"`
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot read the accounts: %w", err)
	}
	if len(f.Accounts) == 0 {
		return nil, errors.New("cannot read the accounts: there are none")
	}
	e := &Estate{Exclusions: f.Exclusions, Journal: f.Journal}
	seen := map[string]bool{}
	for i, a := range f.Accounts {
		t := Target{Account: a.Account, Role: a.Role, ExternalID: a.ExternalID, Regions: a.Regions}
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("cannot use account %d: %w", i+1, err)
		}
		for _, r := range t.Regions {
			if seen[t.Account+r] {
				return nil, fmt.Errorf("cannot use account %d: it is there twice for one region", i+1)
			}
			seen[t.Account+r] = true
		}
		e.Targets = append(e.Targets, t)
	}
	return e, nil
}
