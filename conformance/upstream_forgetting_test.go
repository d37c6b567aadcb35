package conformance

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const (
	forgottenLife = 15 * time.Second
	// keyRest is how long a data key may live after the last deadline that it serves (docs/spec/seal.md, section 2), and a
	// busy machine's delay.
	keyRest = 4096*time.Millisecond + 4*time.Second
)

// Forgetting upstream, as somebody meets it who has everything: the upstream's RDB and AOF and its replica's, from while the
// entries lived, and when the deadline has passed the gateway's data directory with all keys in it and everything that can be
// read of its memory. No mark is in any of it, and no key that is in any of it opens a record of the backups. That the
// search finds what is there is shown first: while the entries live, the gateway's memory has keys that open them.
//
// It is about records. The parts of a collection whose deadline was brought forward are sealed with the key of the latest
// deadline that it could have been given, which lives as long as that.
func TestBackupsAndMemoryOpenNothingAfterTheDeadline(t *testing.T) {
	t.Parallel()
	primary := testkit.StartNode(t, "--appendonly", "yes", "--appendfsync", "always")
	replica := testkit.StartNode(t, "--replicaof", fmt.Sprintf("127.0.0.1 %d", primary.Port))
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Plain: true, Flags: []string{"--backend", "upstream", "--upstream-addresses", primary.Addr(),
		"--upstream-tls", "off", "--upstream-plaintext", "on"}})
	mark := newMark()
	c := lethe.Dial(t, reader)
	for i := range 50 {
		key := fmt.Sprintf("TENANT001:patient:%d:%s", i, mark)
		c.Do("SET", key, mark, "PX", fmt.Sprint(forgottenLife.Milliseconds()))
		c.Do("GET", key)
		c.Do("HSET", key+":h", mark, mark)
		c.Do("PEXPIRE", key+":h", fmt.Sprint(forgottenLife.Milliseconds()))
		c.Do("HGETALL", key+":h")
	}
	deadline := time.Now().Add(forgottenLife)
	backups := takeBackups(t, primary, replica)
	sealed := sealedStrings(t, primary, backups)

	found := openWithMemory(t, lethe.PID(), sealed)
	t.Logf("while the entries live, %d data keys are %d times in memory", len(sealed), found)
	if found < len(sealed) && time.Now().Before(deadline) {
		t.Error("the search for keys does not find what is there")
	}
	<-time.After(time.Until(deadline.Add(keyRest)))
	if found := openWithMemory(t, lethe.PID(), sealed); found != 0 {
		t.Errorf("%d records of the backups open with what is in the gateway's memory", found)
	}
	if found := openWithFiles(t, lethe.DataDir, sealed); found != 0 {
		t.Errorf("%d records of the backups open with what is in the gateway's data directory", found)
	}
	if n := countInMemory(t, lethe.PID(), mark); n != 0 {
		t.Errorf("the mark is %d times in the gateway's memory", n)
	}
	for _, dir := range []string{lethe.DataDir, backups, primary.Dir, replica.Dir} {
		if n := countInFiles(t, dir, mark); n != 0 {
			t.Errorf("the mark is %d times on a disk", n)
		}
	}
}

// takeBackups saves what primary and replica have and copies all their files.
func takeBackups(t *testing.T, primary, replica *testkit.Node) string {
	t.Helper()
	testkit.Await(t, patience, "the replica to have everything", func() bool {
		return primary.Do("DBSIZE") == replica.Do("DBSIZE")
	})
	dir := t.TempDir()
	for name, n := range map[string]*testkit.Node{"primary": primary, "replica": replica} {
		testkit.Await(t, patience, "a snapshot", func() bool { return n.Do("SAVE") == "OK" }) // another may be under way
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(n.Dir)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sealedRecord is a string as the upstream has it, and what its value box is bound to.
type sealedRecord struct{ box, bound []byte }

// sealedStrings reads the records of strings from the upstream, one of each data key, and sees that the backups have each of
// them as it is.
func sealedStrings(t *testing.T, primary *testkit.Node, backups string) (all []sealedRecord) {
	t.Helper()
	for _, file := range []string{"primary/dump.rdb", "replica/dump.rdb"} {
		if _, err := os.Stat(filepath.Join(backups, file)); err != nil {
			t.Fatal(err)
		}
	}
	direct, seen := primary.Dial(t), map[uint64]bool{}
	const nameBytes, pseudonymText = 46, 22
	for _, k := range direct.Do("KEYS", "l:*").Elems {
		record := direct.Do("GET", string(k.Str))
		if record.IsError() || len(k.Str) != nameBytes || record.Str[1] != 1 {
			continue
		}
		dataKey := binary.LittleEndian.Uint64(record.Str[8:])
		if seen[dataKey] {
			continue
		}
		seen[dataKey] = true
		if n := countInFiles(t, backups, string(record.Str)); n < 3 {
			t.Errorf("a record is in %d of the primary's RDB and AOF and the replica's RDB", n)
		}
		pseudonym, err := base64.RawURLEncoding.DecodeString(string(k.Str[nameBytes-pseudonymText:]))
		if err != nil {
			t.Fatal(err)
		}
		value := 40 + int(binary.LittleEndian.Uint32(record.Str[4:]))
		bound := append([]byte("v"), record.Str[:value]...)
		bound = append(bound, pseudonym...)
		bound = append(append(bound, byte(len("TENANT001"))), "TENANT001"...)
		bound = append(append(bound, byte(len("phi"))), "phi"...)
		all = append(all, sealedRecord{record.Str[value:], bound})
	}
	if len(all) == 0 {
		t.Fatal("no record is upstream while the entries live")
	}
	return all
}

// opens reports whether 32 bytes are the key of a record.
func (s *sealedRecord) opens(key []byte) bool {
	block, err := aes.NewCipher(key)
	if err != nil {
		return false
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return false
	}
	_, err = box.Open(nil, s.box[:12], s.box[12:], s.bound)
	return err == nil
}

// openWithMemory tries everything in a process's memory that could be a key, and counts what opens. Keys are aligned to 8
// bytes wherever they may be: in the pages for them, in ciphers, on the heap.
func openWithMemory(t *testing.T, pid int, sealed []sealedRecord) (found int) {
	t.Helper()
	walkMemory(t, pid, "rw", 32, func(part []byte) { found += openWith(part, 8, sealed) })
	return found
}

// openWithFiles is openWithMemory for files, where keys may begin anywhere.
func openWithFiles(t *testing.T, dir string, sealed []sealedRecord) (found int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		found += openWith(data, 1, sealed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func openWith(in []byte, step int, sealed []sealedRecord) (found int) {
	for at := 0; at+32 <= len(in); at += step {
		key := in[at : at+32]
		if !random(key) {
			continue
		}
		for i := range sealed {
			if sealed[i].opens(key) {
				found++
			}
		}
	}
	return found
}

// random reports whether bytes look drawn by chance: those of a key do but once in a thousand million times.
func random(key []byte) bool {
	if bytes.Count(key, []byte{0}) > 4 {
		return false
	}
	var seen [4]uint64
	distinct := 0
	for _, b := range key {
		if bit := uint64(1) << (b & 63); seen[b>>6]&bit == 0 {
			seen[b>>6] |= bit
			distinct++
		}
	}
	return distinct >= 22
}
