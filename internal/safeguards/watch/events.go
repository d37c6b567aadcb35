package watch

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Events only say where to look. What is done is decided by what the API then says of the cache, so a forged event can make
// watch look, and no more.

// Queue is an SQS queue of EventBridge messages about ElastiCache.
type Queue struct {
	Session *awsapi.Session // of the queue's account and region
	URL     string
}

// hint is a cache that an event names.
type hint struct {
	account, region string
	kind            model.Kind
	cacheID         string
}

// maxMessageBytes is more than SQS takes.
const maxMessageBytes = 1 << 20

// parseMessage reads ElastiCache's own events and CloudTrail's, as EventBridge forwards them; nothing for other ones.
func parseMessage(body string) []hint {
	if len(body) > maxMessageBytes {
		return nil
	}
	var m struct {
		Source    string   `json:"source"`
		Account   string   `json:"account"`
		Region    string   `json:"region"`
		Resources []string `json:"resources"`
		Detail    struct {
			EventSource string `json:"eventSource"`
			Request     struct {
				Group      string `json:"replicationGroupId"`
				Cluster    string `json:"cacheClusterId"`
				Serverless string `json:"serverlessCacheName"`
				Memory     string `json:"clusterName"`
			} `json:"requestParameters"`
		} `json:"detail"`
	}
	if json.Unmarshal([]byte(body), &m) != nil || m.Source != "aws.elasticache" && m.Source != "aws.memorydb" {
		return nil
	}
	var out []hint
	add := func(kind model.Kind, id string) {
		if id != "" {
			out = append(out, hint{m.Account, m.Region, kind, id})
		}
	}
	for _, arn := range m.Resources {
		if h, ok := hintOf(arn); ok && h.account == m.Account {
			out = append(out, h)
		}
	}
	add(model.ReplicationGroup, m.Detail.Request.Group)
	add(model.CacheCluster, m.Detail.Request.Cluster)
	add(model.ServerlessCache, m.Detail.Request.Serverless)
	add(model.MemoryDB, m.Detail.Request.Memory)
	return out
}

// hintOf reads an ARN: arn:PARTITION:elasticache:REGION:ACCOUNT:replicationgroup:ID
func hintOf(arn string) (hint, bool) {
	words := strings.SplitN(arn, ":", 7)
	if len(words) < 6 || words[0] != "arn" {
		return hint{}, false
	}
	h := hint{region: words[3], account: words[4]}
	if name, ok := strings.CutPrefix(words[5], "cluster/"); ok && words[2] == "memorydb" {
		h.kind, h.cacheID = model.MemoryDB, name
		return h, name != ""
	}
	if len(words) != 7 || words[2] != "elasticache" {
		return hint{}, false
	}
	h.cacheID = words[6]
	switch words[5] {
	case "replicationgroup":
		h.kind = model.ReplicationGroup
	case "cluster":
		h.kind = model.CacheCluster
	case "serverlesscache":
		h.kind = model.ServerlessCache
	default:
		return hint{}, false
	}
	return h, h.cacheID != ""
}

// Listen takes what the events of all targets and the queue's messages name since the last time, looks at it, and acts on what
// is due. Places that cannot be asked are asked again the next time.
func (w *Watcher) Listen(ctx context.Context) error {
	if err := w.begin(); err != nil {
		return err
	}
	for _, t := range w.Targets {
		for _, region := range t.Regions {
			if err := w.poll(ctx, t, region); err != nil {
				return err
			}
		}
	}
	if w.Queue != nil {
		if err := w.receive(ctx); err != nil {
			return err
		}
	}
	if err := w.Store.flush(); err != nil {
		return err
	}
	return ctx.Err()
}

// overlap: events are listed with a delay, so that each is seen twice rather than not at all. Looking twice does nothing twice.
const overlap = 10 * time.Minute

// longestLookback is for how long ElastiCache keeps events.
const longestLookback = 13 * day

func (w *Watcher) poll(ctx context.Context, t awsapi.Target, region string) error {
	s, err := w.Connector.Session(ctx, t, region)
	if err != nil {
		return ctx.Err()
	}
	place := s.Account + "/" + region
	now := w.Now().UTC()
	from := w.Store.seen(place)
	if from.IsZero() {
		from = now.Add(-time.Hour)
	}
	from = from.Add(-overlap)
	if now.Sub(from) > longestLookback {
		from = now.Add(-longestLookback)
	}
	hints := map[hint]bool{}
	var marker *string
	for {
		r, err := s.ElastiCache.DescribeEvents(ctx, &elasticache.DescribeEventsInput{
			StartTime: &from, EndTime: &now, Marker: marker, MaxRecords: aws.Int32(100),
		})
		if err != nil {
			return ctx.Err()
		}
		for _, e := range r.Events {
			if kind, ok := kindOf(e.SourceType); ok {
				hints[hint{s.Account, region, kind, aws.ToString(e.SourceIdentifier)}] = true
			}
		}
		if aws.ToString(r.Marker) == "" || marker != nil && *r.Marker == *marker {
			break
		}
		marker = r.Marker
	}
	for h := range hints {
		if err := w.lookAt(ctx, h); err != nil {
			return err
		}
	}
	w.Store.setSeen(place, now)
	return nil
}

func kindOf(t ec.SourceType) (model.Kind, bool) {
	switch t {
	case ec.SourceTypeReplicationGroup:
		return model.ReplicationGroup, true
	case ec.SourceTypeCacheCluster:
		return model.CacheCluster, true
	case ec.SourceTypeServerlessCache:
		return model.ServerlessCache, true
	default:
		return "", false
	}
}

// lookAt notes how a cache is and acts if something is due.
func (w *Watcher) lookAt(ctx context.Context, h hint) error {
	s, err := w.session(ctx, h.account, h.region)
	if err != nil {
		return ctx.Err()
	}
	it, err := s.Read(ctx, h.kind, h.cacheID)
	var member *awsapi.MemberError
	if errors.As(err, &member) {
		it, err = s.Read(ctx, model.ReplicationGroup, member.Group)
	}
	if err != nil {
		return ctx.Err() // gone, or not to be read: the next whole run will tell
	}
	v, err := w.note(it)
	if err != nil || v.do == "" && v.c.Pending == nil {
		return err
	}
	return w.act(ctx, ref{it.Resource.ID, it.Detail.ID})
}

// receive takes the queue's messages until there are none. A message is deleted when it has been looked at: what a killed
// process had taken comes again.
func (w *Watcher) receive(ctx context.Context) error {
	const most = 100 // batches, so that a flood of messages does not keep the whole run away
	for range most {
		r, err := w.Queue.Session.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.Queue.URL, MaxNumberOfMessages: 10})
		if err != nil || len(r.Messages) == 0 {
			return ctx.Err()
		}
		for _, m := range r.Messages {
			for _, h := range parseMessage(aws.ToString(m.Body)) {
				if err := w.lookAt(ctx, h); err != nil {
					return err
				}
			}
			_, err := w.Queue.Session.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.Queue.URL, ReceiptHandle: m.ReceiptHandle})
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// Forever runs whole looks and listens in between, until ctx ends or an error of Lethe's own.
func (w *Watcher) Forever(ctx context.Context, every, listenEvery time.Duration, done func(awsapi.Result)) error {
	for {
		result, err := w.Run(ctx)
		if err != nil {
			return err
		}
		done(result)
		for next := w.Now().Add(every); w.Now().Before(next); {
			t := time.NewTimer(listenEvery)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return ctx.Err()
			}
			if err := w.Listen(ctx); err != nil {
				return err
			}
		}
	}
}
