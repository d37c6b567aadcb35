package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// account makes the item of the account in the region: whether CloudTrail records who changes caches.
func (a *around) account(ctx context.Context) *Item {
	b := newBuilder(a.s, model.Account, a.s.Account+"/"+a.s.Region, "DescribeTrails")
	active, call, err := a.s.trailActive(ctx)
	if err != nil {
		b.unknown(call, err, model.TrailActive)
	} else {
		model.TrailActive.Set(b.r, active, model.Source{Setting: "GetTrailStatus.IsLogging"})
	}
	return &Item{b.r, Detail{ID: a.s.Account}}
}

// trailActive says whether one trail of the region is logging and has all management events. A trail that cannot be asked
// makes the answer unknown only if no other one is.
func (s *Session) trailActive(ctx context.Context) (active bool, call string, err error) {
	const target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"
	var trails struct {
		List []struct {
			ARN string `json:"TrailARN"`
		} `json:"trailList"`
	}
	ask := map[string]any{"includeShadowTrails": true} // trails of other regions and of the organisation that cover this one
	if err := s.raw.json(ctx, "cloudtrail", target, "DescribeTrails", ask, &trails); err != nil {
		return false, "DescribeTrails", err
	}
	for _, t := range trails.List {
		on, failed, e := s.trailRecords(ctx, target, t.ARN)
		if e != nil {
			call, err = failed, e
			continue
		}
		if on {
			return true, "", nil
		}
	}
	return false, call, err
}

func (s *Session) trailRecords(ctx context.Context, target, arn string) (on bool, call string, err error) {
	var status struct{ IsLogging *bool }
	if err := s.raw.json(ctx, "cloudtrail", target, "GetTrailStatus", map[string]string{"Name": arn}, &status); err != nil {
		return false, "GetTrailStatus", err
	}
	if !aws.ToBool(status.IsLogging) {
		return false, "", nil
	}
	var selectors struct {
		EventSelectors []struct {
			IncludeManagementEvents *bool
			ReadWriteType           string
		}
		AdvancedEventSelectors []struct {
			FieldSelectors []struct {
				Field  string
				Equals []string
			}
		}
	}
	if err := s.raw.json(ctx, "cloudtrail", target, "GetEventSelectors", map[string]string{"TrailName": arn}, &selectors); err != nil {
		return false, "GetEventSelectors", err
	}
	for _, e := range selectors.EventSelectors {
		if aws.ToBool(e.IncludeManagementEvents) && e.ReadWriteType != "ReadOnly" {
			return true, "", nil
		}
	}
	for _, e := range selectors.AdvancedEventSelectors {
		for _, f := range e.FieldSelectors {
			// A selector with more fields may leave events out; eventCategory alone takes them all.
			if f.Field == "eventCategory" && len(f.Equals) == 1 && f.Equals[0] == "Management" && len(e.FieldSelectors) == 1 {
				return true, "", nil
			}
		}
	}
	return false, "", nil
}
