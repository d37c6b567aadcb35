package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
)

// ReceiptVersion is the version of docs/spec/receipt.md that this package writes.
const ReceiptVersion = 1

// Receipt says what came of a change. It holds no names: subject and keys are pseudonyms. The fields stand in the order of
// their names, which is the order of the canonical form.
type Receipt struct {
	Action    Action         `json:"action"`
	Audit     AuditRange     `json:"audit"`
	By        string         `json:"by"`
	Gateways  []Confirmation `json:"gateways"`
	ID        string         `json:"id"`
	IssuedAt  string         `json:"issued_at"` // RFC 3339, UTC, milliseconds; so are the other times
	Method    string         `json:"method"`
	Reason    Reason         `json:"reason"`
	Since     string         `json:"since"`
	Subject   string         `json:"subject"`
	Tenant    string         `json:"tenant"`
	Until     string         `json:"until"` // empty: without an end
	Version   int            `json:"version"`
	WritesEnd string         `json:"writes_refused_until"` // empty: while the revocation lasts, and the fence after it
}

// AuditRange are the numbers of audit records among which those of the change are.
type AuditRange struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Confirmation is what one gateway has done.
type Confirmation struct {
	ConfirmedAt string   `json:"confirmed_at"` // empty: not confirmed; it serves no patients' data before it has the change
	Erased      []Erased `json:"erased"`
	Name        string   `json:"name"`
}

// Erased are entries of one category that were erased.
type Erased struct {
	Category string   `json:"category"`
	Entries  uint64   `json:"entries"`
	Keys     []string `json:"keys"` // pseudonyms, at most MaxListedKeys of them
}

// MaxListedKeys bounds the pseudonyms that a receipt lists for a category; Entries counts all.
const MaxListedKeys = 1000

// signed is the file: the receipt and its signature.
type signed struct {
	Receipt   json.RawMessage `json:"receipt"`
	Signature signature       `json:"signature"`
}

type signature struct {
	Algorithm string `json:"algorithm"`
	Key       []byte `json:"key"` // the public key; whoever verifies must know it from elsewhere
	Value     []byte `json:"value"`
}

// signatureContext keeps a signature over a receipt from being one over anything else.
const signatureContext = "lethe consent receipt 1\n"

// ErrReceipt is what verification returns for a receipt that was altered, is signed by another key, or is none.
var ErrReceipt = errors.New("the receipt does not verify")

// canonical is the text that is signed (docs/spec/receipt.md, section 3).
func (r *Receipt) canonical() ([]byte, error) {
	text, err := encode(r)
	return bytes.TrimSuffix(text, []byte("\n")), err
}

// encode gives JSON in one line, with nothing escaped that need not be.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot encode the receipt: %w", err)
	}
	return b.Bytes(), nil
}

// Sign returns the file of a receipt.
func (r *Receipt) Sign(key ed25519.PrivateKey) ([]byte, error) {
	text, err := r.canonical()
	if err != nil {
		return nil, err
	}
	value := ed25519.Sign(key, append([]byte(signatureContext), text...))
	return encode(signed{text, signature{"Ed25519", key.Public().(ed25519.PublicKey), value}})
}

// Verify reads the file of a receipt and checks that it is signed by the key. What the file says of its key is not
// believed. White space between the parts does not matter, anything else does.
func Verify(file []byte, key ed25519.PublicKey) (*Receipt, error) {
	var s signed
	if strict(file, &s) != nil || s.Signature.Algorithm != "Ed25519" || !bytes.Equal(s.Signature.Key, key) {
		return nil, ErrReceipt
	}
	var r Receipt
	if strict(s.Receipt, &r) != nil || r.Version != ReceiptVersion {
		return nil, ErrReceipt
	}
	text, err := r.canonical()
	if err != nil {
		return nil, err
	}
	var held bytes.Buffer
	if json.Compact(&held, s.Receipt) != nil || !bytes.Equal(held.Bytes(), text) { // one text for one receipt
		return nil, ErrReceipt
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append([]byte(signatureContext), text...), s.Signature.Value) {
		return nil, ErrReceipt
	}
	return &r, nil
}

// strict decodes one JSON value that has no member unknown to v and nothing behind it.
func strict(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows")
	}
	return nil
}
