package remedy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// The tags of an exclusion. All are needed; NoPHI's value is "attested".
const (
	exclusionTag = "lethe:exclusion:"
	tagOwner     = exclusionTag + "owner"
	tagReason    = exclusionTag + "reason"
	tagTicket    = exclusionTag + "ticket"
	tagExpires   = exclusionTag + "expires"
	tagNoPHI     = exclusionTag + "no-phi"
	attested     = "attested"
)

// Standing says whether remediation may look at a resource at all. The zero value is invalid.
type Standing uint8

// The standings. Everything but Open keeps remediation away.
const (
	_        Standing = iota
	Open              // no exclusion, or one that ended
	Excluded          // an exclusion is in force
	Unclear           // tags could not be read, or an exclusion is incomplete
)

// Exclusions are those of a file. The zero value has none; exclusions by tag count in any case. They are not changed after
// they were read.
type Exclusions struct {
	by  map[string]model.Exclusion // by ARN
	sum string
}

type exclusionFile struct {
	Exclusions []struct {
		Resource string `yaml:"resource"`
		Owner    string `yaml:"owner"`
		Reason   string `yaml:"reason"`
		Ticket   string `yaml:"ticket"`
		Expires  string `yaml:"expires"`
		NoPHI    bool   `yaml:"no_phi"`
	} `yaml:"exclusions"`
}

// ReadExclusions reads a file of exclusions. Each names one resource by its ARN: a pattern would exclude what is not there yet,
// and nobody can attest that. A file with one mistake is refused whole, since what it meant to protect is not known.
func ReadExclusions(src []byte) (Exclusions, error) {
	d := yaml.NewDecoder(bytes.NewReader(src))
	d.KnownFields(true)
	var f exclusionFile
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return Exclusions{}, fmt.Errorf("cannot read the exclusions: %w", err)
	}
	sum := sha256.Sum256(src)
	x := Exclusions{by: map[string]model.Exclusion{}, sum: hex.EncodeToString(sum[:])}
	for i, e := range f.Exclusions {
		at := fmt.Sprintf("cannot use exclusion %d", i+1)
		if !strings.HasPrefix(e.Resource, "arn:") || strings.ContainsAny(e.Resource, "*? ") {
			return Exclusions{}, errors.New(at + ": resource is not the ARN of one cache")
		}
		if _, twice := x.by[e.Resource]; twice {
			return Exclusions{}, errors.New(at + ": the resource has one already")
		}
		end, err := parseEnd(e.Expires)
		if err != nil {
			return Exclusions{}, fmt.Errorf("%s: %w", at, err)
		}
		made := model.Exclusion{Owner: e.Owner, Reason: e.Reason, Ticket: e.Ticket, ExpiresAt: end, NoPHI: e.NoPHI}
		if gap := lacks(made); gap != "" {
			return Exclusions{}, errors.New(at + ": " + gap)
		}
		x.by[e.Resource] = made
	}
	return x, nil
}

// Sum is the SHA-256 of the file that the exclusions are from, empty for none: records name it.
func (x *Exclusions) Sum() string { return x.sum }

// parseEnd reads a day, which belongs to the exclusion, or an instant.
func parseEnd(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("expires is neither a day (2027-01-31) nor an instant")
	}
	return at, nil
}

// lacks says what an exclusion does not have that it needs. Its end is not looked at.
func lacks(x model.Exclusion) string {
	switch {
	case strings.TrimSpace(x.Owner) == "":
		return "it has no owner"
	case strings.TrimSpace(x.Reason) == "":
		return "it has no reason"
	case strings.TrimSpace(x.Ticket) == "":
		return "it has no ticket"
	case x.ExpiresAt.IsZero():
		return "it has no end"
	case !x.NoPHI:
		return "nobody attests that there is no PHI inside"
	default:
		return ""
	}
}

// Mark sets the resource's exclusion from the file and from its tags, for rules and reports, and says what that means for
// remediation. An exclusion that ended is marked too: it is a finding.
func (x *Exclusions) Mark(r *model.Resource, now time.Time) Standing {
	fromFile, inFile := x.by[r.ID.Name]
	file := model.Source{Setting: "exclusions file"}
	if inFile && fromFile.ExpiresAt.After(now) {
		model.ExclusionMark.Set(r, fromFile, file)
		return Excluded
	}
	tags, known := model.Tags.Of(r).Get()
	if !known {
		model.ExclusionMark.SetUnknown(r, "tags could not be read", model.Source{Setting: exclusionTag + "*"})
		return Unclear
	}
	fromTags, tagged := taggedExclusion(tags)
	at := model.Source{Setting: "tags " + exclusionTag + "*"}
	switch {
	case tagged && lacks(fromTags) != "":
		model.ExclusionMark.Set(r, fromTags, at)
		return Unclear
	case tagged && fromTags.ExpiresAt.After(now):
		model.ExclusionMark.Set(r, fromTags, at)
		return Excluded
	case tagged:
		model.ExclusionMark.Set(r, fromTags, at)
	case inFile:
		model.ExclusionMark.Set(r, fromFile, file)
	}
	return Open
}

// taggedExclusion reads an exclusion from tags. One tag is enough to show that there is meant to be one.
func taggedExclusion(tags map[string]string) (x model.Exclusion, tagged bool) {
	for name := range tags {
		tagged = tagged || strings.HasPrefix(strings.ToLower(name), exclusionTag)
	}
	end, err := parseEnd(tags[tagExpires])
	if err != nil {
		end = time.Time{}
	}
	return model.Exclusion{
		Owner: tags[tagOwner], Reason: tags[tagReason], Ticket: tags[tagTicket], ExpiresAt: end, NoPHI: tags[tagNoPHI] == attested,
	}, tagged
}
