package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/awspolicy"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// withAWS adds to the parts of `lethe safeguards` what works on AWS accounts.
func withAWS(env *environment, parts safeguardsParts) safeguardsParts {
	parts.aws = func(ctx context.Context, argument string) (scan.Source, error) {
		return newAWSSource(ctx, env, argument)
	}
	parts.policy = func(purpose string) ([]byte, error) {
		if purpose == "remediation" {
			return []byte(awspolicy.Remediate()), nil
		}
		return []byte(awspolicy.Scan()), nil
	}
	parts.more = append(parts.more, newSafeguardsPlanCommand(env, parts), newSafeguardsApplyCommand(env, parts), newSafeguardsWatchCommand(env, parts))
	return parts
}

// awsFlags say which accounts are meant and how they are reached.
type awsFlags struct {
	accounts, exclusions, awsProfile string
	regions                          []string
	rate                             float64
}

func (a *awsFlags) register(f *pflag.FlagSet) {
	f.StringVar(&a.accounts, "accounts", "", "YAML file of accounts, roles and regions (default: the account of the environment)")
	f.StringSliceVar(&a.regions, "region", nil, "regions, without --accounts (default: the one of the environment)")
	f.StringVar(&a.exclusions, "exclusions", "", "YAML file of exclusions (default: the one that --accounts names)")
	f.StringVar(&a.awsProfile, "aws-profile", "", "profile of the AWS configuration")
	f.Float64Var(&a.rate, "rate", 10, "requests a second to one service of one account and region")
}

// awsEstate is what the flags mean.
type awsEstate struct {
	*awsapi.Estate
	connector *awsapi.Connector
}

func (a *awsFlags) open(ctx context.Context, env *environment) (*awsEstate, error) {
	endpoint, err := awsEndpoint(env.getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return nil, fail(exitUsage, "use https, or an address of this machine", err)
	}
	if a.rate <= 0 || a.rate > 100 {
		return nil, fail(exitUsage, "", errors.New("--rate is not within 0 and 100"))
	}
	connector, err := awsapi.Connect(ctx, awsapi.Options{Profile: a.awsProfile, Endpoint: endpoint, Rate: a.rate})
	if err != nil {
		return nil, fail(exitFailure, "the usual places of AWS credentials are looked at: environment, ~/.aws, roles of the machine", err)
	}
	estate := &awsapi.Estate{Targets: []awsapi.Target{{Regions: a.regions}}}
	if a.accounts != "" {
		if estate, err = readEstate(a.accounts); err != nil {
			return nil, err
		}
	} else if len(a.regions) == 0 {
		region := connector.DefaultRegion()
		if region == "" {
			return nil, fail(exitUsage, "give --region or --accounts, or set AWS_REGION", errors.New("no region is known"))
		}
		estate.Targets[0].Regions = []string{region}
	}
	if a.exclusions != "" {
		estate.Exclusions = a.exclusions
	}
	return &awsEstate{estate, connector}, nil
}

// awsEndpoint lets plain HTTP to this machine only.
func awsEndpoint(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", errors.New("AWS_ENDPOINT_URL is not a URL")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || ip == nil || !ip.IsLoopback()) {
		return "", errors.New("AWS_ENDPOINT_URL would send requests in plain text")
	}
	return strings.TrimSuffix(text, "/"), nil
}

// readEstate reads a file of accounts; the files that it names are beside it.
func readEstate(path string) (*awsapi.Estate, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fail(exitUsage, "", fmt.Errorf("cannot read the accounts: %w", err))
	}
	e, err := awsapi.ReadEstate(src)
	if err != nil {
		return nil, fail(exitUsage, "docs/safeguards.md has an example", err)
	}
	for _, name := range []*string{&e.Exclusions, &e.Journal} {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(filepath.Dir(path), *name)
		}
	}
	return e, nil
}

// readExclusions reads the exclusions that an estate names; without a file there are none but those by tag.
func (e *awsEstate) readExclusions() (remedy.Exclusions, error) {
	if e.Exclusions == "" {
		return remedy.Exclusions{}, nil
	}
	src, err := os.ReadFile(e.Exclusions)
	if err != nil {
		return remedy.Exclusions{}, fmt.Errorf("cannot read the exclusions: %w", err)
	}
	return remedy.ReadExclusions(src)
}

// session enters an account of the estate.
func (e *awsEstate) session(ctx context.Context, account, region string) (*awsapi.Session, error) {
	for _, t := range e.Targets {
		if t.Account == account || t.Account == "" {
			t.Account = account
			return e.connector.Session(ctx, t, region)
		}
	}
	return nil, fmt.Errorf("cannot enter account %s: it is not one of the accounts that were named", account)
}

// awsSource is the accounts of an estate as a target of scan.
type awsSource struct {
	estate     *awsEstate
	exclusions remedy.Exclusions
	name       string
}

// newAWSSource reads what follows "aws": nothing, :REGION,REGION, or :FILE of accounts.
func newAWSSource(ctx context.Context, env *environment, argument string) (*awsSource, error) {
	flags := awsFlags{rate: 10}
	_, rest, _ := strings.Cut(argument, ":")
	switch ext := filepath.Ext(rest); {
	case ext == ".yaml" || ext == ".yml" || ext == ".json":
		flags.accounts = rest
	case rest != "":
		flags.regions = strings.Split(rest, ",")
	}
	estate, err := flags.open(ctx, env)
	if err != nil {
		return nil, err
	}
	x, err := estate.readExclusions()
	if err != nil {
		return nil, err
	}
	return &awsSource{estate, x, argument}, nil
}

// Name is scan.Source's.
func (s *awsSource) Name() string { return s.name }

// journalAge is how old the journal of a killed scan may be: what it holds is reported as what is.
const journalAge = time.Hour

// Resources is scan.Source's.
func (s *awsSource) Resources(ctx context.Context, found func(*model.Resource)) error {
	var journal *awsapi.Journal
	if s.estate.Journal != "" {
		var err error
		if journal, err = awsapi.OpenJournal(s.estate.Journal, s.estate.Targets, journalAge); err != nil {
			return err
		}
		defer journal.Close()
	}
	result, err := s.estate.connector.Scan(ctx, s.estate.Targets, journal, func(it *awsapi.Item) error {
		s.exclusions.Mark(it.Resource, time.Now())
		found(it.Resource)
		return nil
	})
	if err != nil {
		return err
	}
	return problemsOf(result)
}

// problemsOf is what a scan could not read, as an error; nil for nothing.
func problemsOf(result awsapi.Result) error {
	var all []error
	for _, p := range result.Problems {
		all = append(all, errors.New(p.String()))
	}
	return errors.Join(all...)
}
