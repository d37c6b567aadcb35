package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// wrappingKeyBytes makes the wrapping key an AES-256 key.
const wrappingKeyBytes = 32

// maxSealBytes bounds a blob: these are keys, not data.
const maxSealBytes = 1 << 20

// sealedHeader begins every sealed blob. A change of anything after it is a new version, so an old lethe refuses a new blob
// by name. What follows is a 12-byte random nonce, the ciphertext and the 16-byte tag of AES-256-GCM; the additional data is
// header and purpose, so a blob that was copied over another one does not open.
var sealedHeader = []byte("lethe-sealed-1\n")

// ErrSealed is what Open returns for a blob that is damaged, of another purpose, or sealed under another wrapping key: the
// three cannot be told apart.
var ErrSealed = errors.New("sealed data is damaged, or belongs to another purpose or wrapping key")

// wrapper seals small blobs under the wrapping key. The cipher draws its nonces itself, as FIPS 140-3 wants it.
type wrapper struct {
	aead cipher.AEAD
}

// newWrapper keeps the expanded key only; the caller may clear key.
func newWrapper(key Bytes) (*wrapper, error) {
	block, err := aes.NewCipher(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("cannot use the wrapping key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("cannot use the wrapping key: %w", err)
	}
	return &wrapper{aead: aead}, nil
}

// Seal encrypts and authenticates plain, at most 1 MiB, under the wrapping key. The same purpose opens it again.
func (d *Dir) Seal(purpose string, plain []byte) ([]byte, error) {
	if len(plain) > maxSealBytes {
		return nil, fmt.Errorf("cannot seal %s: it is larger than %d bytes", purpose, maxSealBytes)
	}
	return d.wrap.aead.Seal(bytes.Clone(sealedHeader), nil, plain, additional(purpose)), nil
}

// Open is the reverse of Seal. The caller owns what it returns.
func (d *Dir) Open(purpose string, sealed []byte) (Bytes, error) {
	body, ok := bytes.CutPrefix(sealed, sealedHeader)
	if !ok {
		return Bytes{}, fmt.Errorf("cannot open %s: it is not sealed data of a version that this lethe knows", purpose)
	}
	plain, err := d.wrap.aead.Open(nil, nil, body, additional(purpose))
	if err != nil {
		return Bytes{}, fmt.Errorf("cannot open %s: %w", purpose, ErrSealed)
	}
	return New(plain), nil
}

func additional(purpose string) []byte { return append(bytes.Clone(sealedHeader), purpose...) }

// newRandom returns n bytes of the system's generator, which never fails: crypto/rand ends the process instead.
func newRandom(n int) Bytes {
	b := make([]byte, n)
	rand.Read(b)
	return New(b)
}
