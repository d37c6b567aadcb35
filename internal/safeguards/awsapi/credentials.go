package awsapi

import (
	"context"
	"fmt"
)

// SigningKey is what signs requests to AWS. It is secret.
type SigningKey struct {
	AccessKeyID, SecretAccessKey string
	SessionToken                 string // empty: the key is not temporary
}

// SigningKey returns the key of the credentials that Connect found, renewed when it is about to end. Servers that log in to
// ElastiCache by IAM ask for it at each login.
func (c *Connector) SigningKey(ctx context.Context) (SigningKey, error) {
	k, err := c.base.Credentials.Retrieve(ctx)
	if err != nil {
		return SigningKey{}, fmt.Errorf("cannot find AWS credentials: %w", err)
	}
	return SigningKey{k.AccessKeyID, k.SecretAccessKey, k.SessionToken}, nil
}
