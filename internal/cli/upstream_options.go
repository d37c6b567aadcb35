package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// upstreamOptions turns settings into what the upstream is opened with. What each connection reads anew (tokens, client
// certificates) is read once here, so that a file that is not there stops the start and not the service.
func upstreamOptions(u *config.Upstream) (upstream.Options, error) {
	modes := map[string]upstream.Mode{
		config.UpstreamStandalone: upstream.Standalone, config.UpstreamSentinel: upstream.Sentinel, config.UpstreamCluster: upstream.Cluster,
	}
	o := upstream.Options{Mode: modes[u.Mode], Addresses: u.Addresses, Master: u.Master, PlainText: u.PlainText, NearBytes: u.NearCache,
		ReplicaReads: u.ReplicaReads}
	var err error
	if u.TLS != config.UpstreamTLSOff {
		if o.TLS, err = upstreamTLS(u); err != nil {
			return o, err
		}
		o.SentinelTLS = o.TLS
		if o.Authorities, err = fileAuthorities(u.CA); err != nil {
			return o, err
		}
	}
	if o.SentinelCredentials, err = fileCredentials("upstream.sentinel_token_file", u.SentinelUser, u.SentinelTokenFile); err != nil {
		return o, err
	}
	if u.IAM.Cache != "" {
		o.CredentialLife = upstream.IAMConnectionLife
		o.Credentials, err = iamCredentials(u)
		return o, err
	}
	o.Credentials, err = fileCredentials("upstream.token_file", u.User, u.TokenFile)
	return o, err
}

type credentialSource = func(context.Context) (upstream.Credentials, error)

// fileCredentials reads a token from its file at each login, so that it can be changed; nil without a file.
func fileCredentials(setting, user, file string) (credentialSource, error) {
	if file == "" {
		return nil, nil
	}
	source := func(context.Context) (upstream.Credentials, error) {
		token, err := secret.ReadFile(file)
		if err != nil {
			return upstream.Credentials{}, fmt.Errorf("cannot read %s: %w", setting, err)
		}
		return upstream.Credentials{User: user, Token: bytes.TrimRight(token, "\r\n")}, nil
	}
	first, err := source(context.Background())
	if err != nil {
		return nil, fail(exitFailure, cmp.Or(secret.Hint(err), "give a file with the token that only Lethe's user can read (mode 0600)"), err)
	}
	defer clear(first.Token)
	if len(first.Token) == 0 {
		return nil, fail(exitFailure, "write the token into the file, or leave the setting out", fmt.Errorf("cannot use %s: the file is empty", setting))
	}
	return source, nil
}

// iamCredentials signs a token for each login to ElastiCache, with the AWS credentials of the environment.
func iamCredentials(u *config.Upstream) (credentialSource, error) {
	aws, err := awsapi.Connect(context.Background(), awsapi.Options{})
	if err != nil {
		return nil, fail(exitFailure, "the usual places of AWS credentials are looked at: environment, ~/.aws, roles of the machine", err)
	}
	region := u.IAM.Region
	if region == "" {
		region = aws.DefaultRegion()
	}
	if region == "" {
		return nil, fail(exitFailure, "give upstream.iam_region, or set AWS_REGION", errors.New("cannot log in to ElastiCache by IAM: no region is known"))
	}
	i := &upstream.IAM{User: u.User, Cache: u.IAM.Cache, Region: region, Serverless: u.IAM.Serverless,
		Retrieve: func(ctx context.Context) (upstream.AWSCredentials, error) {
			key, err := aws.SigningKey(ctx)
			return upstream.AWSCredentials(key), err
		}}
	return i.Credentials, nil
}

var errNoCertificate = errors.New("cannot use the upstream's authorities: the file has no certificate")

// fileAuthorities reads the authorities from their file for each connection, so that they can be renewed; nil without a file,
// for the system's.
func fileAuthorities(file string) (func() (*x509.CertPool, error), error) {
	if file == "" {
		return nil, nil
	}
	source := func() (*x509.CertPool, error) {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read the upstream's authorities: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errNoCertificate
		}
		return pool, nil
	}
	switch _, err := source(); {
	case errors.Is(err, errNoCertificate):
		return nil, fail(exitFailure, "upstream.ca is a PEM file with BEGIN CERTIFICATE lines", err)
	case err != nil:
		return nil, fail(exitFailure, "give a PEM file with upstream.ca, or leave it out for the system's authorities", err)
	}
	return source, nil
}

func upstreamTLS(u *config.Upstream) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: u.ServerName}
	if u.TLS == config.UpstreamTLS12 {
		c.MinVersion = tls.VersionTLS12
	}
	if u.Cert != "" {
		if _, err := tls.LoadX509KeyPair(u.Cert, u.Key); err != nil {
			return nil, fail(exitFailure, "give upstream.cert and upstream.key, PEM, that belong together",
				fmt.Errorf("cannot use the client certificate for the upstream: %w", err))
		}
		// Read for each connection, so that it can be renewed.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(u.Cert, u.Key)
			return &pair, err
		}
	}
	return c, nil
}
