package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Options are the settings of Connect; each zero is the default that is named.
type Options struct {
	Credentials aws.CredentialsProvider // the SDK's usual places: environment, shared files, roles of the machine
	Profile     string                  // of the shared files: the SDK's default
	HTTPClient  doer                    // a client with a timeout of 30 s
	Endpoint    string                  // one URL for all services, for fakes: AWS's own
	Rate        float64                 // requests a second to one service of one account and region: 10
	Attempts    int                     // attempts of one call: 8
	// AnyAccount takes an account that is not the named one. Fakes need it that have one account only.
	AnyAccount bool
}

// Target is an account to scan.
type Target struct {
	Account    string   `json:"account"`        // 12 digits; empty: the one that the credentials are of
	Role       string   `json:"role,omitempty"` // ARN of the role to take there; empty: the credentials themselves
	ExternalID string   `json:"external_id,omitempty"`
	Regions    []string `json:"regions"`
}

// Check tells what is wrong with a target as the user wrote it.
func (t *Target) Check() error {
	account := regexp.MustCompile(`^\d{12}$`)
	region := regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d{1,2}$`)
	role := regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/\S+$`)
	if t.Account != "" && !account.MatchString(t.Account) {
		return errors.New("cannot use an account that is not 12 digits")
	}
	if t.Role != "" {
		m := role.FindStringSubmatch(t.Role)
		if m == nil || t.Account != "" && m[1] != t.Account {
			return fmt.Errorf("cannot use the role for account %s: it is not the ARN of a role there", t.Account)
		}
	}
	if len(t.Regions) == 0 {
		return errors.New("cannot scan without a region")
	}
	for _, r := range t.Regions {
		if !region.MatchString(r) {
			return fmt.Errorf("cannot use the region %q", r)
		}
	}
	return nil
}

// Connector makes sessions. It may be used by any goroutine.
type Connector struct {
	o    Options
	base aws.Config

	mu       sync.Mutex
	sessions map[string]*Session // by target and region: they share a pace, and a role is taken once
}

// Connect finds the credentials. It calls AWS only where a credential source does.
func Connect(ctx context.Context, o Options) (*Connector, error) {
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: 30 * time.Second}
	}
	if o.Rate == 0 {
		o.Rate = 10
	}
	if o.Attempts == 0 {
		o.Attempts = 8
	}
	if o.Credentials != nil {
		return &Connector{o: o, base: aws.Config{Credentials: o.Credentials}, sessions: map[string]*Session{}}, nil
	}
	base, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(o.Profile))
	if err != nil {
		return nil, fmt.Errorf("cannot load the AWS configuration: %w", err)
	}
	return &Connector{o: o, base: base, sessions: map[string]*Session{}}, nil
}

// DefaultRegion is the region that the environment names, or empty.
func (c *Connector) DefaultRegion() string { return c.base.Region }

// Session is one account in one region. It may be used by any goroutine.
type Session struct {
	Account, Region string
	ElastiCache     *elasticache.Client
	MemoryDB        *memorydb.Client
	SQS             *sqs.Client
	raw             *rawClient
}

// Session takes the target's role and makes sure that it leads into the target's account: a role that leads elsewhere is
// an error, since what is found there would be reported, and remedied, under a wrong name. Who asks again gets the same
// session.
func (c *Connector) Session(ctx context.Context, t Target, region string) (*Session, error) {
	key := strings.Join([]string{t.Account, t.Role, t.ExternalID, region}, "\x00")
	c.mu.Lock()
	s := c.sessions[key]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := c.enter(ctx, t, region)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.sessions[key]; first != nil {
		return first, nil
	}
	c.sessions[key] = s
	return s, nil
}

func (c *Connector) enter(ctx context.Context, t Target, region string) (*Session, error) {
	cfg := aws.Config{Region: region, Credentials: c.base.Credentials, AppID: "lethe"}
	if c.o.Endpoint != "" {
		cfg.BaseEndpoint = &c.o.Endpoint
	}
	if t.Role != "" {
		provider := stscreds.NewAssumeRoleProvider(c.sts(cfg), t.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "lethe-safeguards"
			if t.ExternalID != "" {
				o.ExternalID = &t.ExternalID
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider)
	}
	who, err := c.sts(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("cannot enter account %s: %w", t.Account, err)
	}
	account := aws.ToString(who.Account)
	if t.Account != "" && account != t.Account && !c.o.AnyAccount {
		return nil, fmt.Errorf("cannot enter account %s: the credentials are of account %s", t.Account, account)
	}
	return c.session(cfg, account), nil
}

func (c *Connector) session(cfg aws.Config, account string) *Session {
	pace := func(o *aws.Config) aws.Config { // each service is counted by itself
		p := newPace(c.o.Rate)
		paced := o.Copy()
		paced.HTTPClient = &pacedClient{c.o.HTTPClient, p}
		paced.Retryer = func() aws.Retryer { return newRetryer(p, c.o.Attempts) }
		return paced
	}
	return &Session{
		Account: account, Region: cfg.Region, ElastiCache: elasticache.NewFromConfig(pace(&cfg)),
		MemoryDB: memorydb.NewFromConfig(pace(&cfg)), SQS: sqs.NewFromConfig(pace(&cfg)),
		raw: newRawClient(cfg, c.o),
	}
}

func (c *Connector) sts(cfg aws.Config) *sts.Client {
	p := newPace(c.o.Rate)
	cfg.HTTPClient = &pacedClient{c.o.HTTPClient, p}
	cfg.Retryer = func() aws.Retryer { return newRetryer(p, c.o.Attempts) }
	return sts.NewFromConfig(cfg)
}
