package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/upstream"
)

const (
	// meetTime bounds one look at the shelf, the KMS's answer included.
	meetTime = 10 * time.Second
	// meetEvery is how often it is looked what other gateways have laid there, beside what they tell.
	meetEvery = 5 * time.Second
)

// persisting returns the names of the categories that survive a restart.
func persisting(p *policy.Policy) (names []string) {
	for _, c := range p.Categories() {
		if c.Persist {
			names = append(names, c.Name)
		}
	}
	return names
}

// mayPersist refuses a policy whose categories could not be kept: whoever asks for it would believe that they are.
func (s *serving) mayPersist(p *policy.Policy) error {
	names := persisting(p)
	switch {
	case len(names) == 0:
		return nil
	case s.settings.Backend != config.BackendUpstream:
		return fail(exitFailure, "set backend: upstream, or leave persist out of the policy",
			fmt.Errorf("cannot keep entries of %s over a restart: the embedded engine keeps nothing on disk", strings.Join(names, ", ")))
	case s.settings.Upstream.KeptKeys == "":
		return fail(exitFailure, "give upstream.kept_keys, or leave persist out of the policy",
			fmt.Errorf("cannot keep entries of %s over a restart: nothing wraps their data keys", strings.Join(names, ", ")))
	}
	return nil
}

// keptKMS makes what wraps the data keys of categories that survive a restart; nil: nothing does.
func keptKMS(u *config.Upstream) (seal.KMS, error) {
	kind, where, _ := strings.Cut(u.KeptKeys, ":")
	switch kind {
	case config.KeptKeysFile:
		data, err := secret.ReadFile(where)
		if err != nil {
			return nil, fail(exitFailure, cmp.Or(secret.Hint(err), "give a file that only Lethe's user can read (mode 0600)"), fmt.Errorf("cannot read upstream.kept_keys: %w", err))
		}
		defer clear(data)
		k, err := seal.NewFileKMS(data)
		if err != nil {
			return nil, fail(exitFailure, "write 32 random bytes or more into it: head -c 32 /dev/urandom > FILE", err)
		}
		return k, nil
	case config.KeptKeysAWS:
		endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_KMS"), os.Getenv("AWS_ENDPOINT_URL"))
		if !private(endpoint) {
			return nil, fail(exitFailure, "use https in AWS_ENDPOINT_URL_KMS", errors.New("cannot use upstream.kept_keys: the key would be sent to the KMS in clear"))
		}
		aws, err := awsapi.Connect(context.Background(), awsapi.Options{Endpoint: endpoint, Attempts: 3})
		if err != nil {
			return nil, fail(exitFailure, "the usual places of AWS credentials are looked at: environment, ~/.aws, roles of the machine", err)
		}
		k, err := aws.KMS(where)
		if err != nil {
			return nil, fail(exitFailure, "write aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID", fmt.Errorf("cannot use upstream.kept_keys: %w", err))
		}
		return awsKMS{k}, nil
	}
	return nil, nil
}

// private reports whether nobody on the way to an endpoint can read what is sent; none is AWS's own.
func private(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	return endpoint == "" || u.Scheme == "https" || u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback()
}

// awsKMS says in package seal's words what AWS KMS says.
type awsKMS struct{ *awsapi.KMS }

func (k awsKMS) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	key, err := k.KMS.Unwrap(ctx, wrapped)
	if awsapi.IsNotWrapped(err) {
		err = fmt.Errorf("%w: %w", seal.ErrNotWrapped, err)
	}
	return key, err
}

// keeper brings this process together with the data keys that survive restarts.
type keeper struct {
	s     *serving
	kept  *seal.Kept
	shelf *upstream.Shelf
	told  string // the complaint of the last look, so that the same one is told once
}

// keepKeys takes the data keys of before, if there is something that wraps them. A KMS or an upstream that does not answer now is asked
// again until it does, and commands are refused until then; one that says that the keys are another's stops the start.
func (s *serving) keepKeys() (*keeper, []uint64, error) {
	f := s.front
	kms, err := keptKMS(&s.settings.Upstream)
	if err != nil || kms == nil {
		return nil, nil, err
	}
	k := &keeper{s: s, shelf: upstream.NewShelf(f.up)}
	k.kept = f.ring.Keep(kms, k.shelf, f.peers.ID())
	origins, err := k.meet(context.Background())
	if errors.Is(err, seal.ErrNotWrapped) {
		k.shelf.Close()
		return nil, nil, fail(exitFailure, "give the upstream.kept_keys that the gateways of this upstream have, or, where that is lost and with it what they sealed, delete the key lethe:kept upstream", err)
	}
	return k, origins, nil
}

func (k *keeper) meet(ctx context.Context) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	origins, err := k.kept.Meet(ctx)
	complaint := ""
	if err != nil {
		complaint = err.Error()
	}
	switch log := k.s.log; {
	case complaint == k.told:
	case complaint == "":
		log.Info("data keys of categories that survive a restart are kept again")
	default:
		log.Error("data keys of categories that survive a restart cannot be kept or had", "error", err)
	}
	k.told = complaint
	return origins, err
}

// run looks at the shelf until ctx ends. orphans is given the processes whose keys came from there as long as this one is the only one.
func (k *keeper) run(ctx context.Context, orphans func([]uint64)) {
	defer k.shelf.Close()
	every(ctx, meetEvery, func() {
		if origins, err := k.meet(ctx); err == nil && len(origins) > 0 && k.s.front.peers.Len() == 0 {
			orphans(origins)
		}
	})
}
