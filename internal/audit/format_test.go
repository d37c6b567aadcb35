package audit_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

var update = flag.Bool("update", false, "write the golden files anew; only a new format version may need it")

const goldenDir = "testdata/golden"

// goldenRecords are the records of the golden log.
func goldenRecords() []audit.Record {
	actor := testActor()
	set := testRecord(actor, 2)
	set.Command, set.Action, set.Outcome, set.Detail = "SET", audit.Write, audit.Clamped, "asked=3600s"
	return []audit.Record{
		testRecord(actor, 1),
		set,
		{At: 1_790_000_300_000, Command: "", Action: audit.Expire, Outcome: audit.Expired, Tenant: "TENANT001",
			Category: "phi", Key: []byte("TENANT001:patient:2"), Subject: []byte("2"), ExpiresAt: 1_790_000_300_000},
	}
}

// A changed byte in an encoded record is a new format version.
func TestRecordEncoding(t *testing.T) {
	t.Parallel()
	const golden = "" +
		"f0000102" + "82b083c59868" + // flags, read, hit, time
		"06776172642d33" + "05746f6b656e" + "0f3139322e302e322e373a3431303030" + "055452454154" + "07" + // actor
		"03474554" + "0954454e414e54303031" + "03706869" + // GET, TENANT001, phi
		"1354454e414e543030313a70617469656e743a31" + "1201" + // key, and the subject's place in it
		"becf24" + // deadline
		"fd010206" + "02" + "03534554" + // SET, clamped, a millisecond later
		"1354454e414e543030313a70617469656e743a32" + "1201" + "bccf24" + "0b61736b65643d3336303073"
	var b audit.Batch
	for _, r := range goldenRecords()[:2] {
		b.Add(&r)
	}
	if got := hex.EncodeToString(b.Plain()); got != golden {
		t.Errorf("records are encoded as\n%s, want\n%s", got, golden)
	}
}

func TestGoldenLog(t *testing.T) {
	t.Parallel()
	if *update {
		writeGolden(t)
	}
	r, err := audit.Verify(goldenDir, audit.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() || r.Records != 5 || r.Segments != 1 || r.Checkpoints != 2 || r.Log != "lethe-audit/"+goldenLogID(t) {
		t.Errorf("report is %+v", r)
	}
	want, err := os.ReadFile(filepath.Join(goldenDir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if got := viewLines(t, goldenDir); got != string(want) {
		t.Errorf("the golden log reads\n%swant\n%s", got, want)
	}
}

func goldenLogID(t *testing.T) string {
	return hex.EncodeToString(goldenSegment(t)[40:56])
}

func goldenSegment(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(goldenDir, "audit-00000001.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeGolden(t *testing.T) {
	t.Helper()
	dir := auditDir(t)
	o := testOptions()
	clock := newClock()
	o.Now = clock.now
	l := openLog(t, dir, o)
	var b audit.Batch
	for _, r := range goldenRecords() {
		b.Add(&r)
	}
	if err := l.Commit(&b); err != nil {
		t.Fatal(err)
	}
	clock.add(time.Second)
	closeLog(t, l)
	if err := os.RemoveAll(goldenDir); err != nil {
		t.Fatal(err)
	}
	readLog(t, dir).write(t, goldenDir)
	if err := os.WriteFile(filepath.Join(goldenDir, "records.jsonl"), []byte(viewLines(t, dir)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func viewLines(t *testing.T, dir string) string {
	t.Helper()
	names, err := audit.NewPseudonyms(testOpener(t))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	lines := json.NewEncoder(&out)
	err = audit.Search(dir, testOpener(t), audit.Query{}, func(e *audit.Event) error { return lines.Encode(e.View(names, true)) })
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestSpecification reads the golden log with nothing but docs/spec/audit.md and the standard library, as an independent
// verifier would.
func TestSpecification(t *testing.T) {
	t.Parallel()
	seg := goldenSegment(t)
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	if string(seg[:8]) != "LETHEAUD" || u32(seg[8:]) != 1 || u32(seg[12:]) != 256 || u64(seg[16:]) != 1 || u64(seg[24:]) != 1 {
		t.Fatalf("header is %x", seg[:256])
	}
	chain := sha256.Sum256(seg[:224])
	if !bytes.Equal(chain[:], seg[224:256]) {
		t.Error("section 3: the header's hash is wrong")
	}
	aead := specDataKey(t, seg)
	at, sequence, kinds := 256, uint64(1), ""
	for at < len(seg) {
		length := int(u32(seg[at:]))
		f := seg[at : at+length]
		count, first, body := uint64(binary.LittleEndian.Uint16(f[6:])), u64(f[8:]), int(u32(f[24:]))
		if first != sequence || length != (28+body+7)&^7+32 {
			t.Errorf("section 4: frame at %d has first %d, length %d, body %d", at, first, length, body)
		}
		before := chain
		chain = sha256.Sum256(append(chain[:], f[:length-32]...))
		if !bytes.Equal(chain[:], f[length-32:]) {
			t.Errorf("section 4: the hash of the frame at %d is wrong", at)
		}
		switch f[4] {
		case 1:
			kinds += "R"
			plain, err := aead.Open(nil, f[28:40], f[40:28+body], f[:28])
			if err != nil || len(plain) < 5 {
				t.Errorf("section 5: the records at %d do not open: %v", at, err)
			}
		case 2:
			kinds += "C"
			specCheckpoint(t, f[28:28+body], first-1, before)
		case 3:
			kinds += "E"
		}
		sequence += count
		at += length
	}
	if kinds != "RCRRCE" || sequence != 6 { // the start, a minute's checkpoint, the commit, the stop, the end
		t.Errorf("frames are %q, the next sequence %d", kinds, sequence)
	}
	head, err := os.ReadFile(filepath.Join(goldenDir, "audit.head"))
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range [][]byte{head[64:128], head[128:192]} {
		if u64(slot[8:]) != 1 || u64(slot[16:]) != 5 || !bytes.Equal(slot[24:56], chain[:]) {
			t.Errorf("section 7: the head's slot is %x", slot)
		}
	}
}

// specDataKey follows section 6.
func specDataKey(t *testing.T, seg []byte) cipher.AEAD {
	t.Helper()
	private, err := hpke.NewDHKEMPrivateKey(testOpeningKey())
	if err != nil {
		t.Fatal(err)
	}
	info := append([]byte("lethe audit segment v1"), seg[40:56]...)
	info = append(info, seg[16:24]...)
	recipient, err := hpke.NewRecipient(seg[96:161], private, hpke.HKDFSHA256(), hpke.ExportOnly(), info)
	if err != nil {
		t.Fatalf("section 6: %v", err)
	}
	check, err := recipient.Export("lethe audit key check", 16)
	if err != nil || !bytes.Equal(check, seg[161:177]) {
		t.Errorf("section 6: the check is %x, want %x: %v", check, seg[161:177], err)
	}
	dataKey, err := recipient.Export("lethe audit data key", 32)
	if err != nil {
		t.Fatalf("section 6: %v", err)
	}
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// specCheckpoint follows section 8.
func specCheckpoint(t *testing.T, note []byte, sequence uint64, chain [32]byte) {
	t.Helper()
	text, signature, ok := strings.Cut(string(note), "\n\n")
	if !ok {
		t.Fatalf("section 8: the note is %q", note)
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
	}
	if len(got) != 4 || got[1] != fmt.Sprint(sequence) || got[2] != base64.StdEncoding.EncodeToString(chain[:]) {
		t.Errorf("section 8: the checkpoint says %q", got)
	}
	words := strings.Fields(signature)
	raw, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if err != nil || len(raw) != 4+ed25519.SignatureSize {
		t.Fatalf("section 8: the signature line is %q", signature)
	}
	if !ed25519.Verify(testSigner().Public().(ed25519.PublicKey), []byte(text+"\n"), raw[4:]) {
		t.Error("section 8: the signature does not verify")
	}
}
