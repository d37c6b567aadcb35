package awsapi

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// pace spaces the requests to one service of one account and region, since that is what AWS counts. Spacing instead of
// bursts: a scanner that spends the account's whole allowance makes the owner's own deployments fail. When AWS throttles
// all the same the pace is halved, and it recovers slowly.
type pace struct {
	mu   sync.Mutex
	rate float64 // requests a second now
	full float64 // and at best
	next time.Time
}

const slowestRate = 0.5

func newPace(rate float64) *pace { return &pace{rate: rate, full: rate} }

// wait waits until the next request may go.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	at := p.next
	p.next = at.Add(time.Duration(float64(time.Second) / p.rate))
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

func (p *pace) throttled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = max(min(slowestRate, p.full), p.rate/2)
}

func (p *pace) served() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = min(p.full, p.rate+p.full/100)
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// doer is what sends a request: http.Client and the SDK's own.
type doer interface {
	Do(*http.Request) (*http.Response, error)
}

// pacedClient lets each attempt, retries too, wait for its turn.
type pacedClient struct {
	next doer
	pace *pace
}

func (c *pacedClient) Do(r *http.Request) (*http.Response, error) {
	if err := c.pace.wait(r.Context()); err != nil {
		return nil, err
	}
	reply, err := c.next.Do(r)
	if err == nil && reply.StatusCode < 300 {
		c.pace.served()
	}
	return reply, err
}

// retryer is the SDK's, which tells the pace of being throttled.
type retryer struct {
	aws.RetryerV2
	pace *pace
}

func newRetryer(p *pace, attempts int) aws.Retryer {
	standard := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff, o.RateLimiter = attempts, 20*time.Second, ratelimit.None
	})
	return &retryer{standard, p}
}

func (r *retryer) IsErrorRetryable(err error) bool {
	if isThrottle(err) {
		r.pace.throttled()
	}
	return r.RetryerV2.IsErrorRetryable(err)
}

// isThrottle tells AWS's "too often" from its other errors.
func isThrottle(err error) bool {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return false
	}
	_, ok := retry.DefaultThrottleErrorCodes[e.ErrorCode()]
	return ok
}
