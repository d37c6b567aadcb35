package audit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
)

// dataKeyBytes is the size of a segment's AES-256 key.
const dataKeyBytes = 32

// Opener opens what the log sealed to its opening public key. The server needs none: it can add to the log and cannot
// read it back.
type Opener interface {
	// OpenDataKey opens a segment's data key. info binds it to its segment; an error means that the key was sealed to
	// another opening key or altered.
	OpenDataKey(sealed, info []byte) ([]byte, error)
	// PseudonymKey is the key under which key names and subjects are shown as pseudonyms.
	PseudonymKey() ([]byte, error)
}

// openingKey is the Opener that holds its private key.
type openingKey struct{ private *ecdh.PrivateKey }

// NewOpener returns the Opener for a P-256 private key, which it keeps.
func NewOpener(key *ecdh.PrivateKey) (Opener, error) {
	if key == nil || key.Curve() != ecdh.P256() {
		return nil, errors.New("cannot use the opening key: it is not a P-256 key")
	}
	return openingKey{key}, nil
}

func (k openingKey) OpenDataKey(sealed, info []byte) ([]byte, error) {
	private, err := hpke.NewDHKEMPrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("cannot use the opening key: %w", err)
	}
	if len(sealed) != sealedKeyBytes {
		return nil, errors.New("BUG: a sealed data key has an unexpected length")
	}
	recipient, err := hpke.NewRecipient(sealed[:pointBytes], private, hpke.HKDFSHA256(), hpke.ExportOnly(), info)
	if err != nil {
		return nil, errNotOurs
	}
	dataKey, check, err := exportKeys(recipient)
	if err != nil {
		return nil, fmt.Errorf("cannot open a segment's data key: %w", err)
	}
	if subtle.ConstantTimeCompare(check, sealed[pointBytes:]) != 1 {
		clear(dataKey)
		return nil, errNotOurs
	}
	return dataKey, nil
}

var errNotOurs = errors.New("cannot open a segment's data key: it was sealed to another opening key, or altered")

// exportKeys derives a segment's data key and the value that tells the right opening key from a wrong one. Exporting is
// HPKE without its own AEAD, which the FIPS 140-3 module of Go 1.24 refuses for making nonces outside of it.
func exportKeys(from interface {
	Export(context string, length int) ([]byte, error)
}) (dataKey, check []byte, err error) {
	if dataKey, err = from.Export("lethe audit data key", dataKeyBytes); err != nil {
		return nil, nil, err
	}
	check, err = from.Export("lethe audit key check", checkBytes)
	return dataKey, check, err
}

func (k openingKey) PseudonymKey() ([]byte, error) {
	return hkdf.Key(sha256.New, k.private.Bytes(), nil, "lethe audit pseudonym v1", 32)
}

// String keeps the private key out of every printer.
func (openingKey) String() string { return "[opening key]" }

// GoString keeps the private key out of %#v.
func (openingKey) GoString() string { return "[opening key]" }

// ParseOpeningKey reads a P-256 private key from PKCS #8 PEM, the form that MarshalOpeningKey writes.
func ParseOpeningKey(text []byte) (*ecdh.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("cannot read the opening key: it is not a PKCS #8 private key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("cannot read the opening key: it is not a PKCS #8 private key in PEM")
	}
	// x509 gives an elliptic curve key as *ecdsa.PrivateKey; its ECDH method is all that is needed here.
	converts, ok := parsed.(interface {
		ECDH() (*ecdh.PrivateKey, error)
	})
	if !ok {
		return nil, errors.New("cannot use the opening key: it is not a P-256 key")
	}
	key, err := converts.ECDH()
	if err != nil || key.Curve() != ecdh.P256() {
		return nil, errors.New("cannot use the opening key: it is not a P-256 key")
	}
	return key, nil
}

// MarshalOpeningKey writes a private key as PKCS #8 PEM.
func MarshalOpeningKey(key *ecdh.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot write the opening key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// openingKeyID is what a segment's header keeps of the opening public key.
func openingKeyID(key *ecdh.PublicKey) [openingKeyBytes]byte {
	sum := sha256.Sum256(key.Bytes())
	return [openingKeyBytes]byte(sum[:openingKeyBytes])
}

// sealInfo binds a data key to one segment of one log.
func sealInfo(log logID, segment uint64) []byte {
	info := append([]byte("lethe audit segment v1"), log[:]...)
	return binary.LittleEndian.AppendUint64(info, segment)
}

// sealer seals the records of one segment under its own random data key. It belongs to the log's lock.
type sealer struct {
	aead    cipher.AEAD
	random  bool   // the AEAD makes its nonces itself
	counter uint64 // nonces used; with a fresh key for every segment and every start no nonce comes twice
}

// newSealer makes a data key and returns it twice: ready for sealing, and as the header keeps it for the opening key.
func newSealer(to *ecdh.PublicKey, log logID, segment uint64) (*sealer, [sealedKeyBytes]byte, error) {
	var sealed [sealedKeyBytes]byte
	public, err := hpke.NewDHKEMPublicKey(to)
	if err != nil {
		return nil, sealed, fmt.Errorf("cannot use the opening key: %w", err)
	}
	point, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.ExportOnly(), sealInfo(log, segment))
	if err != nil {
		return nil, sealed, fmt.Errorf("cannot seal a segment's data key: %w", err)
	}
	dataKey, check, err := exportKeys(sender)
	if err != nil {
		return nil, sealed, fmt.Errorf("cannot seal a segment's data key: %w", err)
	}
	defer clear(dataKey)
	copy(sealed[:], point)
	copy(sealed[pointBytes:], check)
	s, err := sealerFor(dataKey)
	return s, sealed, err
}

func sealerFor(dataKey []byte) (*sealer, error) {
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	// FIPS 140-3 (implementation guidance C.H) wants nonces of GCM made inside the module.
	if fips140.Enabled() {
		aead, err := cipher.NewGCMWithRandomNonce(block)
		return &sealer{aead: aead, random: true}, err
	}
	aead, err := cipher.NewGCM(block)
	return &sealer{aead: aead}, err
}

// seal appends nonce, ciphertext and tag to dst. additional must not be part of what is appended.
func (s *sealer) seal(dst, plain, additional []byte) []byte {
	if s.random {
		return s.aead.Seal(dst, nil, plain, additional)
	}
	s.counter++
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, s.counter)
	return s.aead.Seal(dst, dst[len(dst)-nonceBytes:], plain, additional)
}

// unsealer opens the record frames of one segment.
type unsealer struct{ aead cipher.AEAD }

func newUnsealer(o Opener, h *header) (*unsealer, error) {
	dataKey, err := o.OpenDataKey(h.sealedKey[:], sealInfo(h.log, h.number))
	if err != nil {
		return nil, err
	}
	defer clear(dataKey)
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	// Opening takes the nonce from the front of the body, which is the layout of NewGCMWithRandomNonce.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	return &unsealer{aead}, nil
}

// open returns the records of f in clear, appended to dst.
func (u *unsealer) open(dst []byte, f *frame) ([]byte, error) {
	plain, err := u.aead.Open(dst, nil, f.payload(), f.additional())
	if err != nil {
		return nil, errors.New("cannot open a frame: it does not belong to its segment, or was altered")
	}
	return plain, nil
}
