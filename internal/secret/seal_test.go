package secret_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lethe-cache/lethe/internal/secret"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("long"), 1000)} {
		sealed, err := d.Seal("purpose", plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Open("purpose", sealed)
		if err != nil || !bytes.Equal(got.Reveal(), plain) {
			t.Fatal(err)
		}
		if _, err := d.Open("another purpose", sealed); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("opened for another purpose: %v", err)
		}
		again, _ := d.Seal("purpose", plain)
		if bytes.Equal(again, sealed) {
			t.Error("the same nonce twice")
		}
	}
	if _, err := d.Seal("purpose", make([]byte, 1<<20+1)); err == nil {
		t.Error("sealed more than a blob may hold")
	}
}

// Any changed byte and any missing tail must be found.
func TestSealedDataIsWhole(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	sealed, err := d.Seal("purpose", []byte("a key"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := d.Open("purpose", changed); err == nil {
			t.Errorf("a change of byte %d is not found", i)
		}
		if _, err := d.Open("purpose", sealed[:i]); err == nil {
			t.Errorf("a cut after byte %d is not found", i)
		}
	}
	if _, err := open(t, filepath.Join(t.TempDir(), "e")).Open("purpose", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("another wrapping key opened it: %v", err)
	}
}

// The form of sealed data is fixed: header, nonce, ciphertext, tag. A lethe that cannot read these bytes cannot read the
// data directories of today.
func TestSealedFormat(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "wrapping.key"), []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(goldenSealed)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := open(t, path).Open("golden", sealed); err != nil || string(plain.Reveal()) != "what is sealed" {
		t.Error(err)
	}
}

const goldenSealed = "bGV0aGUtc2VhbGVkLTEKPPexYcToN7maDWoyp6x/bN+qnLasGqjo16QvimCV45ch8GfISI5YcOTI"
