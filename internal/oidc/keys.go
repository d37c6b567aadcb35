package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysGoodFor = time.Hour        // then they are fetched again, so that a withdrawn key goes
	fetchPause  = 30 * time.Second // between fetches for keys that are not known, and after one that failed
)

var (
	errUnavailable = errors.New("the OpenID provider does not answer as it should")
	errUnknownKey  = errors.New("the token is signed with a key that the issuer does not have")
)

// keySet is the issuer's keys. It is what go-oidc calls a KeySet, with a bound on what a flood of tokens with made-up key
// names can make it fetch.
type keySet struct {
	issuer     string
	algorithms []jose.SignatureAlgorithm
	client     *http.Client
	clock      func() time.Time

	fetching sync.Mutex // one fetch at a time

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	fetchedAt time.Time // the keys
	triedAt   time.Time
}

func joseAlgorithms(names []string) []jose.SignatureAlgorithm {
	var all []jose.SignatureAlgorithm
	for _, n := range names {
		all = append(all, jose.SignatureAlgorithm(n))
	}
	return all
}

// VerifySignature returns the payload of a token that one of the issuer's keys has signed.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, k.algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errUnknownKey
	}
	header := signed.Signatures[0].Header
	keys, fresh := k.known()
	if !fresh || len(matching(keys, header)) == 0 {
		if keys, err = k.fetchSeldom(ctx); err != nil {
			return nil, err
		}
	}
	for _, key := range matching(keys, header) {
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errUnknownKey
}

// matching finds keys by name. A token without one may be of any key of its kind.
func matching(keys []jose.JSONWebKey, header jose.Header) (found []*jose.JSONWebKey) {
	for i := range keys {
		key := &keys[i]
		if (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Algorithm == "" || key.Algorithm == header.Algorithm) {
			found = append(found, key)
		}
	}
	return found
}

func (k *keySet) known() (keys []jose.JSONWebKey, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys, !k.fetchedAt.IsZero() && k.clock().Sub(k.fetchedAt) < keysGoodFor
}

// fetchSeldom fetches the keys, unless that was tried a short while ago: then it answers with what there is.
func (k *keySet) fetchSeldom(ctx context.Context) ([]jose.JSONWebKey, error) {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	now := k.clock()
	k.mu.Lock()
	keys, fetchedAt, soon := k.keys, k.fetchedAt, !k.triedAt.IsZero() && now.Sub(k.triedAt) < fetchPause
	if !soon {
		k.triedAt = now
	}
	k.mu.Unlock()
	if soon {
		if now.Sub(fetchedAt) >= keysGoodFor {
			return nil, errUnavailable // keys that may have been withdrawn are not believed
		}
		return keys, nil
	}
	fetched, err := k.fetch(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.fetchedAt = fetched, now
	return fetched, nil
}

// fetch asks the issuer where its keys are, and for them.
func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	if about.Issuer != k.issuer || !trustworthyURL(about.Keys) {
		return nil, fmt.Errorf("%w: it says that it is another issuer, or that its keys are on no https URL", errUnavailable)
	}
	var set jose.JSONWebKeySet
	if err := k.get(ctx, about.Keys, &set); err != nil {
		return nil, err
	}
	var usable []jose.JSONWebKey
	for _, key := range set.Keys {
		if key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			usable = append(usable, key)
		}
	}
	return usable, nil
}

func (k *keySet) get(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errUnavailable
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxFetchBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errUnavailable, err)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: status %d", errUnavailable, answer.StatusCode)
	case len(body) > maxFetchBytes || json.Unmarshal(body, into) != nil:
		return fmt.Errorf("%w: the answer is not JSON of a sensible size", errUnavailable)
	}
	return nil
}

// trustworthyURL accepts https, and http to this machine, where nobody stands between.
func trustworthyURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
