package identity

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/secret"
)

// The rule for tokens (docs of Redis AUTH in a PHI setting): printable ASCII, 16 to 128 characters, none of / @ ' ".
const (
	minTokenBytes = 16
	maxTokenBytes = 128
)

// CheckToken tells what is wrong with a token that is to be set, never quoting it. A space is refused although it is
// printable: it is lost too easily between files, shells and connection strings.
func CheckToken(token []byte) error { return checkToken(token, minTokenBytes) }

func checkToken(token []byte, least int) error {
	refuse := func(format string, args ...any) error {
		return &inputError{"cannot use the token: it " + fmt.Sprintf(format, args...), tokenRule}
	}
	switch {
	case len(token) < least:
		return refuse("has %d characters, fewer than %d", len(token), least)
	case len(token) > maxTokenBytes:
		return refuse("has %d characters, more than %d", len(token), maxTokenBytes)
	}
	for _, b := range token {
		switch {
		case b == '/', b == '@', b == '\'', b == '"':
			return refuse(`contains one of / @ ' "`)
		case b == ' ', b == '\t':
			return refuse("contains a space")
		case b < 0x21, b > 0x7e:
			return refuse("contains a character that is not printable ASCII")
		}
	}
	return nil
}

const tokenRule = `a token is 16 to 128 printable ASCII characters without space / @ ' "`

// A generated token is the prefix, by which people and secret scanners know it, 256 random bits and a 24-bit check over
// them, the last two in base64url.
const (
	tokenPrefix    = "lethe_"
	randomBytes    = 32
	checkBytes     = 3
	generatedBytes = len(tokenPrefix) + ((randomBytes+checkBytes)*8+5)/6
)

// GenerateToken makes a token of 256 random bits that satisfies CheckToken.
func GenerateToken() secret.Bytes {
	body := make([]byte, randomBytes, randomBytes+checkBytes)
	rand.Read(body)
	body = append(body, tokenCheck(body)...)
	defer clear(body)
	token := make([]byte, 0, generatedBytes)
	token = append(token, tokenPrefix...)
	return secret.New(base64.RawURLEncoding.AppendEncode(token, body))
}

// isGenerated tells a generated token by its form alone. Such tokens need no slow hash: nobody can search 2^256.
func isGenerated(token []byte) bool {
	if len(token) != generatedBytes || !strings.HasPrefix(string(token), tokenPrefix) {
		return false
	}
	var body [randomBytes + checkBytes]byte
	defer clear(body[:])
	n, err := base64.RawURLEncoding.Strict().Decode(body[:], token[len(tokenPrefix):])
	return err == nil && n == randomBytes+checkBytes &&
		subtle.ConstantTimeCompare(body[randomBytes:], tokenCheck(body[:randomBytes])) == 1
}

func tokenCheck(random []byte) []byte {
	sum := sha256.Sum256(append([]byte("lethe token check "), random...))
	return sum[:checkBytes]
}

const (
	saltBytes = 16
	hashBytes = sha256.Size
	// slowIterations is what OWASP asks of PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet, 2023); a file with fewer is refused.
	slowIterations = 600_000
	maxIterations  = 100_000_000
)

// verifier is a token as it is stored: enough to recognise it, not to know it. Iterations are 0 for a generated token, which
// is hashed once, and the PBKDF2 cost for a chosen one.
type verifier struct {
	iterations int
	salt       [saltBytes]byte
	hash       [hashBytes]byte
}

func newVerifier(token []byte, iterations int, salt [saltBytes]byte) (verifier, error) {
	v := verifier{salt: salt}
	if isGenerated(token) {
		v.hash = fastHash(token, salt)
		return v, nil
	}
	v.iterations = iterations
	hash, err := slowHash(token, salt, iterations)
	v.hash = hash
	return v, err
}

func newSalt() (salt [saltBytes]byte) {
	rand.Read(salt[:])
	return salt
}

func fastHash(token []byte, salt [saltBytes]byte) [hashBytes]byte {
	var buf [saltBytes + maxTokenBytes]byte
	defer clear(buf[:])
	n := copy(buf[:], salt[:])
	n += copy(buf[n:], token)
	return sha256.Sum256(buf[:n])
}

func slowHash(token []byte, salt [saltBytes]byte, iterations int) (hash [hashBytes]byte, err error) {
	key, err := pbkdf2.Key(sha256.New, string(token), salt[:], iterations, hashBytes)
	if err != nil {
		return hash, fmt.Errorf("cannot hash the token: %w", err)
	}
	copy(hash[:], key)
	return hash, nil
}

// id tells the tokens of a user apart. Chosen ones have the same salt, so it is of the salted hash, which says nothing.
func (v *verifier) id() string {
	sum := sha256.Sum256(append(v.salt[:], v.hash[:]...))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

func (v *verifier) matches(hash [hashBytes]byte) bool {
	return subtle.ConstantTimeCompare(v.hash[:], hash[:]) == 1
}

const (
	fastScheme = "sha256"
	slowScheme = "pbkdf2-sha256"
)

// String is the stored form: sha256:SALT:HASH, or pbkdf2-sha256:ITERATIONS:SALT:HASH, bytes in base64url.
func (v verifier) String() string {
	tail := ":" + base64.RawURLEncoding.EncodeToString(v.salt[:]) + ":" + base64.RawURLEncoding.EncodeToString(v.hash[:])
	if v.iterations == 0 {
		return fastScheme + tail
	}
	return slowScheme + ":" + strconv.Itoa(v.iterations) + tail
}

var errNotAHash = errors.New("is not a token's hash; `lethe user rotate` writes a new one")

// parseVerifier is the reverse of String. Its errors complete the sentence "the field ...".
func parseVerifier(text string, leastIterations int) (v verifier, err error) {
	parts := strings.Split(text, ":")
	switch {
	case len(parts) == 3 && parts[0] == fastScheme:
	case len(parts) == 4 && parts[0] == slowScheme:
		n, err := strconv.Atoi(parts[1])
		if err != nil || n > maxIterations || strconv.Itoa(n) != parts[1] {
			return v, errNotAHash
		}
		if n < leastIterations {
			return v, fmt.Errorf("is too weak: it has %d iterations, fewer than %d", n, leastIterations)
		}
		v.iterations = n
	default:
		return v, errNotAHash
	}
	if !decodeExactly(v.salt[:], parts[len(parts)-2]) || !decodeExactly(v.hash[:], parts[len(parts)-1]) {
		return verifier{}, errNotAHash
	}
	return v, nil
}

func decodeExactly(into []byte, text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && copy(into, b) == len(into) && len(b) == len(into)
}
