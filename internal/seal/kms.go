package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// FileKMS wraps with a secret that the operator has, for clusters without a KMS: whoever reads the file can unwrap.
type FileKMS struct{ key []byte }

// NewFileKMS takes the secret, at least 32 bytes; it is not kept.
func NewFileKMS(secret []byte) (*FileKMS, error) {
	if len(secret) < 32 {
		return nil, fmt.Errorf("cannot wrap keys: the secret has %d bytes, it needs 32", len(secret))
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "lethe wrapping key 1", 32)
	if err != nil {
		return nil, fmt.Errorf("cannot wrap keys: %w", err)
	}
	return &FileKMS{key}, nil
}

var wrapBinding = []byte("lethe wrapped 1")

// Wrap seals a key.
func (f *FileKMS) Wrap(_ context.Context, key []byte) ([]byte, error) {
	box, done, err := f.box()
	if err != nil {
		return nil, err
	}
	defer done()
	return box.Seal(nil, nil, key, wrapBinding), nil
}

// Unwrap opens what Wrap has sealed.
func (f *FileKMS) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	box, done, err := f.box()
	if err != nil {
		return nil, err
	}
	defer done()
	key, err := box.Open(nil, nil, wrapped, wrapBinding)
	if err != nil {
		return nil, ErrNotWrapped
	}
	return key, nil
}

func (f *FileKMS) box() (box cipher.AEAD, done func(), err error) {
	block, err := aes.NewCipher(f.key)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot wrap keys: %w", err)
	}
	defer wipe(block)
	if box, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, nil, fmt.Errorf("cannot wrap keys: %w", err)
	}
	return box, func() { wipe(box) }, nil
}
