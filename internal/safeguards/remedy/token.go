package remedy

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// newToken is 52 letters and digits with 260 random bits: within ElastiCache's 16 to 128 characters, and without marks, of
// which each client library escapes others.
func newToken() []byte { return []byte(rand.Text() + rand.Text()) }

// keptToken is the entry's token, made and kept on first use: it is on disk before AWS has it, so that it cannot be lost with
// the process.
func (w *work) keptToken(mayMake bool) ([]byte, error) {
	if w.Tokens == nil {
		return nil, refusal("no-place-for-tokens")
	}
	if token, err := w.Tokens.Load(w.e.ID); err == nil {
		return token, nil
	}
	if !mayMake {
		return nil, refusal("token-lost")
	}
	token := newToken()
	if err := w.Tokens.Keep(w.e.ID, token); err != nil {
		return nil, fmt.Errorf("cannot keep the new token: %w", err)
	}
	return token, nil
}

// doToken sends the token. The SDK takes a string, which stays in memory until it is collected: the process does this and
// ends.
func doToken(strategy ec.AuthTokenUpdateStrategyType) func(context.Context, *work, *awsapi.Item) error {
	return func(ctx context.Context, w *work, it *awsapi.Item) error {
		token, err := w.keptToken(strategy == ec.AuthTokenUpdateStrategyTypeRotate)
		if err != nil {
			return err
		}
		defer clear(token)
		_, err = w.s.ElastiCache.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: &it.Detail.ID, AuthToken: aws.String(string(token)), AuthTokenUpdateStrategy: strategy, ApplyImmediately: aws.Bool(true),
		})
		return failed("rotate the token of", it, err)
	}
}

// tokenChanged: AWS says that the token was changed after the step was begun.
func tokenChanged(ctx context.Context, w *work) (bool, error) {
	it, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	at, known := model.TokenRotatedAt.Of(it.Resource).Get()
	return known && !at.Before(w.state.At), nil
}
