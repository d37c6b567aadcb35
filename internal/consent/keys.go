package consent

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"path/filepath"

	"github.com/lethe-cache/lethe/internal/secret"
)

// Directory is what this package asks of a data directory; *secret.Dir is one.
type Directory interface {
	Sealer
	File(name string) string
	Key(name string, generate func() ([]byte, error)) (secret.Bytes, error)
}

// The names of the keys in the data directory, and of the file with the public half of the signing key.
const (
	signingKey    = "receipt-sign"
	pseudonymKey  = "receipt-names"
	PublicKeyFile = "receipt.pub" // one line of base64
)

// Keys are what receipts are made with. They stay in memory as long as the process lives.
type Keys struct {
	signer ed25519.PrivateKey
	names  []byte
}

// OpenKeys returns the keys of a data directory, which are made on first use, and writes the public one beside them.
func OpenKeys(dir Directory) (*Keys, error) {
	seed, err := dir.Key(signingKey, func() ([]byte, error) { return randomKey(), nil })
	if err != nil {
		return nil, err
	}
	defer seed.Clear()
	names, err := dir.Key(pseudonymKey, func() ([]byte, error) { return randomKey(), nil })
	if err != nil {
		return nil, err
	}
	k := &Keys{signer: ed25519.NewKeyFromSeed(seed.Reveal()), names: names.Reveal()}
	text := base64.StdEncoding.EncodeToString(k.Public()) + "\n"
	path := filepath.Clean(dir.File(PublicKeyFile))
	if held, err := secret.ReadFile(path); err == nil && string(held) == text {
		return k, nil
	}
	return k, secret.WriteFile(path, []byte(text))
}

func randomKey() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// Name is what other gateways and receipts call the gateway of this data directory. It follows from the signing key, so that
// it lasts as long as the directory and no two have the same.
func (k *Keys) Name() string {
	sum := sha256.Sum256(k.Public())
	return "gateway-" + hex.EncodeToString(sum[:6])
}

// Public is the key that receipts are verified with.
func (k *Keys) Public() ed25519.PublicKey { return k.signer.Public().(ed25519.PublicKey) }

// What separates the tenant from the name also separates key names from subjects.
const (
	pseudonymOfKey     = 0
	pseudonymOfSubject = 1
)

// Subject is the pseudonym of a subject, 32 hexadecimal digits.
func (k *Keys) Subject(tenant, subject string) string {
	return k.pseudonym(tenant, pseudonymOfSubject, bytesOf(subject))
}

// Key is the pseudonym of a key name, 32 hexadecimal digits.
func (k *Keys) Key(tenant string, name []byte) string {
	return k.pseudonym(tenant, pseudonymOfKey, name)
}

func (k *Keys) pseudonym(tenant string, separator byte, name []byte) string {
	mac := hmac.New(sha256.New, k.names)
	mac.Write(bytesOf(tenant))
	mac.Write([]byte{separator})
	mac.Write(name)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
