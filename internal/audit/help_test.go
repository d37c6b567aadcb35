package audit_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

// The keys of all tests; they are made from constants so that golden files can be opened again.
func testSigner() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("audit test signer"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testOpeningKey() *ecdh.PrivateKey {
	scalar := sha256.Sum256([]byte("audit test opening key"))
	key, err := ecdh.P256().NewPrivateKey(scalar[:])
	if err != nil {
		panic(err)
	}
	return key
}

func testOpener(t testing.TB) audit.Opener {
	t.Helper()
	o, err := audit.NewOpener(testOpeningKey())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func testOptions() audit.Options {
	return audit.Options{
		Durability: audit.Process, SegmentBytes: 1 << 20, CheckpointEvery: time.Hour,
		Signer: testSigner(), OpeningKey: testOpeningKey().PublicKey(),
	}
}

// openLog opens a log in dir and closes it with the test.
func openLog(t testing.TB, dir string, o audit.Options) *audit.Log {
	t.Helper()
	l, err := audit.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func auditDir(t testing.TB) string { return filepath.Join(t.TempDir(), "audit") }

// testRecord is a read of patient n.
func testRecord(actor *audit.Actor, n int) audit.Record {
	key := fmt.Appendf(nil, "TENANT001:patient:%d", n)
	return audit.Record{
		At: 1_790_000_000_000 + int64(n), Actor: actor, Command: "GET", Action: audit.Read, Outcome: audit.Hit,
		Tenant: "TENANT001", Category: "phi", Key: key, Subject: key[bytes.LastIndexByte(key, ':')+1:],
		ExpiresAt: 1_790_000_300_000,
	}
}

func testActor() *audit.Actor {
	return &audit.Actor{User: "ward-3", Method: "token", Source: "192.0.2.7:41000", Connection: 7, Purpose: "TREAT"}
}

// commit writes n records in one commit.
func commit(t testing.TB, l *audit.Log, first, n int) {
	t.Helper()
	var b audit.Batch
	actor := testActor()
	for i := range n {
		r := testRecord(actor, first+i)
		b.Add(&r)
	}
	if err := l.Commit(&b); err != nil {
		t.Fatal(err)
	}
}
