package awsapi

import (
	"context"
	"errors"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// KMS is a symmetric key of AWS KMS that wraps other keys. It may be used by any goroutine.
type KMS struct {
	raw *rawClient
	key string
}

var kmsKey = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(?:key|alias)/\S+$`)

// KMS returns the key with an ARN, in the region that this says. It calls nothing.
func (c *Connector) KMS(arn string) (*KMS, error) {
	m := kmsKey.FindStringSubmatch(arn)
	if m == nil {
		return nil, errors.New("it is not the ARN of a key of KMS")
	}
	if c.base.Credentials == nil {
		return nil, errors.New("there are no AWS credentials")
	}
	return &KMS{newRawClient(aws.Config{Region: m[1], Credentials: c.base.Credentials}, c.o), arn}, nil
}

// kmsContext is bound into what is wrapped, and stands in CloudTrail beside each call.
var kmsContext = map[string]string{"application": "lethe", "purpose": "kept data keys"}

type kmsCall struct {
	KeyID             string `json:"KeyId"`
	Plaintext         []byte `json:",omitempty"`
	CiphertextBlob    []byte `json:",omitempty"`
	EncryptionContext map[string]string
}

// Wrap encrypts a key of at most 4 KiB.
func (k *KMS) Wrap(ctx context.Context, key []byte) ([]byte, error) {
	var out kmsCall
	err := k.raw.json(ctx, "kms", "TrentService", "Encrypt", kmsCall{KeyID: k.key, Plaintext: key, EncryptionContext: kmsContext}, &out)
	return out.CiphertextBlob, err
}

// Unwrap decrypts what Wrap made. IsNotWrapped says of its error that this key has not made that.
func (k *KMS) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	var out kmsCall
	err := k.raw.json(ctx, "kms", "TrentService", "Decrypt", kmsCall{KeyID: k.key, CiphertextBlob: wrapped, EncryptionContext: kmsContext}, &out)
	return out.Plaintext, err
}

// IsNotWrapped tells of an error of Unwrap that what was given is not the key's.
func IsNotWrapped(err error) bool {
	switch Code(err) {
	case "InvalidCiphertextException", "IncorrectKeyException":
		return true
	}
	return false
}
