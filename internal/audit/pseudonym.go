package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Pseudonyms gives key names and subjects the names under which reports show them: the same entry has the same pseudonym
// in every report made with one opening key, and nobody without that key can tell whose it is. One goroutine at a time
// may use it.
type Pseudonyms struct{ mac hash.Hash }

// NewPseudonyms derives the pseudonyms' key from o.
func NewPseudonyms(o Opener) (*Pseudonyms, error) {
	key, err := o.PseudonymKey()
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return &Pseudonyms{hmac.New(sha256.New, key)}, nil
}

// What separates the tenant from the name also separates key names from subjects.
const (
	pseudonymOfKey     = 0
	pseudonymOfSubject = 1
)

// Key is the pseudonym of a key name, 32 hexadecimal digits; empty for none.
func (p *Pseudonyms) Key(tenant string, key []byte) string { return p.of(tenant, pseudonymOfKey, key) }

// Subject is the pseudonym of a subject, 32 hexadecimal digits; empty for none.
func (p *Pseudonyms) Subject(tenant string, subject []byte) string {
	return p.of(tenant, pseudonymOfSubject, subject)
}

func (p *Pseudonyms) of(tenant string, separator byte, name []byte) string {
	if len(name) == 0 {
		return ""
	}
	p.mac.Reset()
	p.mac.Write([]byte(tenant))
	p.mac.Write([]byte{separator})
	p.mac.Write(name)
	return hex.EncodeToString(p.mac.Sum(nil)[:16])
}
