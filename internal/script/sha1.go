package script

import (
	"crypto/fips140"
	"crypto/sha1"
	"encoding/hex"
)

// SHA1Hex is the name of a script: the SHA-1 of its source in lower-case hexadecimal. It is a name that clients compute
// too, and secures nothing, so it is outside of what FIPS 140-3 mode enforces.
func SHA1Hex(source []byte) string {
	var sum [sha1.Size]byte
	fips140.WithoutEnforcement(func() { sum = sha1.Sum(source) })
	return hex.EncodeToString(sum[:])
}
