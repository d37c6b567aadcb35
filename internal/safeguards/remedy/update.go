package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// doUpdate takes AWS's updates that VER-04 asks for, one after the other: AWS refuses a second one while the group is being
// modified for the first. What is under way already is not asked for again.
func doUpdate(ctx context.Context, w *work, it *awsapi.Item) error {
	updates, known := model.ServiceUpdates.Of(it.Resource).Get()
	if !known {
		return refusal("unknown-updates")
	}
	updates = slices.DeleteFunc(slices.Clone(updates), func(u model.ServiceUpdate) bool {
		return u.Status != "not-applied" || u.Severity != "critical" && u.Severity != "important"
	})
	slices.SortStableFunc(updates, func(a, b model.ServiceUpdate) int { return strings.Compare(a.Severity, b.Severity) }) // critical first
	for i, u := range updates {
		if i > 0 {
			if err := w.untilSettled(ctx); err != nil {
				return err
			}
			if err := w.stopped(); err != nil {
				return err
			}
		}
		r, err := w.s.ElastiCache.BatchApplyUpdateAction(ctx, &elasticache.BatchApplyUpdateActionInput{
			ServiceUpdateName: &u.Name, ReplicationGroupIds: []string{it.Detail.ID},
		})
		if err != nil {
			return failed("update", it, err)
		}
		if len(r.UnprocessedUpdateActions) > 0 {
			return fmt.Errorf("cannot update %s: AWS did not take the update", it.Resource.ID)
		}
	}
	return nil
}

// untilSettled waits until AWS does nothing with the cache.
func (w *work) untilSettled(ctx context.Context) error {
	return w.until(ctx, func() (bool, error) {
		err := w.settled(ctx)
		if errors.Is(err, errWait) {
			return false, nil
		}
		return err == nil, err
	})
}
