package fakeaws

import (
	"crypto/md5" //nolint:gosec // SQS sends it, and its client checks it
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func assumeRole(c *call) (any, *Error) {
	arn := c.in.text("RoleArn")
	words := strings.Split(arn, ":")
	if len(words) != 6 || !strings.HasPrefix(words[5], "role/") {
		return nil, &Error{403, "AccessDenied", "There is no such role."}
	}
	f, account := c.fake, words[4]
	if f.roles[account] != c.in.text("ExternalId") {
		return nil, &Error{403, "AccessDenied", "The role does not trust the caller."}
	}
	f.issued++
	key := fmt.Sprintf("ASIAFAKE%d", f.issued)
	who := identity{account: account, secret: "secret-" + key, session: "session-" + key, expires: c.now.Add(time.Hour)}
	f.keys[key] = who
	return sts.AssumeRoleOutput{
		Credentials: &ststypes.Credentials{AccessKeyId: &key, SecretAccessKey: &who.secret, SessionToken: &who.session, Expiration: &who.expires},
		AssumedRoleUser: &ststypes.AssumedRoleUser{
			Arn: ptr("arn:aws:sts::" + account + ":assumed-role/" + words[5][len("role/"):] + "/lethe"), AssumedRoleId: ptr("AROAFAKE:lethe"),
		},
	}, nil
}

func callerIdentity(c *call) (any, *Error) {
	return sts.GetCallerIdentityOutput{Account: &c.Account, Arn: ptr("arn:aws:iam::" + c.Account + ":user/fake"), UserId: ptr("AIDAFAKE")}, nil
}

// kmsKey is a key of KMS.
type kmsKey struct {
	state   string
	rotated bool
}

// KeyARN is the ARN of a KMS key.
func (r *Region) KeyARN(id string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", r.Name, r.Account, id)
}

// SetKey says in which state a KMS key is and whether it is rotated. The key "cache" is enabled and rotated.
func (r *Region) SetKey(id, state string, rotated bool) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.kms[r.KeyARN(id)] = kmsKey{state, rotated}
}

func (c *call) key() (kmsKey, *Error) {
	arn := c.in.text("KeyId")
	if k, ok := c.kms[arn]; ok {
		return k, nil
	}
	if arn == c.KeyARN("cache") {
		return kmsKey{"Enabled", true}, nil
	}
	return kmsKey{}, &Error{400, "NotFoundException", "The key does not exist."}
}

type describedKey struct {
	KeyMetadata struct{ KeyState, KeyManager string }
}

func describeKey(c *call) (any, *Error) {
	k, err := c.key()
	var out describedKey
	out.KeyMetadata.KeyState, out.KeyMetadata.KeyManager = k.state, "CUSTOMER"
	return out, err
}

func keyRotation(c *call) (any, *Error) {
	k, err := c.key()
	return struct{ KeyRotationEnabled *bool }{&k.rotated}, err
}

// trail is a trail of CloudTrail that covers the region.
type trail struct {
	name    string
	logging bool
}

// AddTrail makes a trail of all regions.
func (r *Region) AddTrail(name string, logging bool) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.trails = append(r.trails, trail{name, logging})
}

func (c *call) trailARN(name string) string { return c.arn("cloudtrail", "trail/"+name) }

func describeTrails(c *call) (any, *Error) {
	list := []any{}
	for _, t := range c.trails {
		list = append(list, map[string]any{"Name": t.name, "TrailARN": c.trailARN(t.name), "HomeRegion": c.Name, "IsMultiRegionTrail": true})
	}
	return map[string]any{"trailList": list}, nil
}

func trailStatus(c *call) (any, *Error) {
	for _, t := range c.trails {
		if c.in.text("Name") == c.trailARN(t.name) {
			return map[string]any{"IsLogging": t.logging}, nil
		}
	}
	return nil, &Error{400, "TrailNotFoundException", "There is no such trail."}
}

func trailSelectors(c *call) (any, *Error) {
	for _, t := range c.trails {
		if c.in.text("TrailName") == c.trailARN(t.name) {
			return map[string]any{"EventSelectors": []any{map[string]any{"IncludeManagementEvents": true, "ReadWriteType": "All"}}}, nil
		}
	}
	return nil, &Error{400, "TrailNotFoundException", "There is no such trail."}
}

// queue is a queue of SQS: what is received comes again after its visibility timeout, until it is deleted.
type queue struct {
	messages []*message
	given    int
}

type message struct {
	id, body, receipt string
	hiddenUntil       time.Time
}

// Send puts a message into a queue and returns the queue's URL.
func (r *Region) Send(name, body string) string {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	q := r.queues[name]
	if q == nil {
		q = &queue{}
		r.queues[name] = q
	}
	q.given++
	q.messages = append(q.messages, &message{id: fmt.Sprint(q.given), body: body})
	return r.QueueURL(name)
}

// QueueURL is the URL of a queue.
func (r *Region) QueueURL(name string) string {
	return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.Name, r.Account, name)
}

// Waiting is how many messages of a queue have not been deleted.
func (r *Region) Waiting(name string) int {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	if q := r.queues[name]; q != nil {
		return len(q.messages)
	}
	return 0
}

func (c *call) queue() (*queue, *Error) {
	_, name, _ := cutLast(c.in.text("QueueUrl"), "/")
	if q := c.queues[name]; q != nil {
		return q, nil
	}
	return nil, &Error{400, "com.amazonaws.sqs#QueueDoesNotExist", "The queue does not exist."}
}

func receiveMessages(c *call) (any, *Error) {
	q, err := c.queue()
	if err != nil {
		return nil, err
	}
	most := 1
	if n := c.in.number("MaxNumberOfMessages"); n != nil {
		most = int(*n)
	}
	var out sqs.ReceiveMessageOutput
	for _, m := range q.messages {
		if len(out.Messages) == most || c.now.Before(m.hiddenUntil) {
			continue
		}
		m.hiddenUntil = c.now.Add(30 * time.Second)
		m.receipt = fmt.Sprintf("%s-%d", m.id, c.now.UnixNano())
		sum := md5.Sum([]byte(m.body)) //nolint:gosec // SQS sends it, and its client checks it
		out.Messages = append(out.Messages, sqstypes.Message{
			MessageId: &m.id, Body: &m.body, ReceiptHandle: &m.receipt, MD5OfBody: ptr(hex.EncodeToString(sum[:])),
		})
	}
	return out, nil
}

func deleteMessage(c *call) (any, *Error) {
	q, err := c.queue()
	if err != nil {
		return nil, err
	}
	for i, m := range q.messages {
		if m.receipt == c.in.text("ReceiptHandle") {
			q.messages = append(q.messages[:i], q.messages[i+1:]...)
			break
		}
	}
	return sqs.DeleteMessageOutput{}, nil
}
