package command_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/rdb"
)

// dump returns a key's payload.
func (l *lab) dump(key string) string {
	l.t.Helper()
	_, rest, _ := strings.Cut(l.run("DUMP", key), "\r\n")
	return strings.TrimSuffix(rest, "\r\n")
}

func (l *lab) lines(args ...string) []string {
	l.t.Helper()
	lines := strings.Split(l.run(args...), "\r\n")
	slices.Sort(lines)
	return lines
}

// What DUMP returns makes the same value again, whatever its type and however large.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	f := func(name string, read []string, n int, write func(i int) []string) {
		t.Helper()
		l := newLab(t)
		for i := range n {
			l.run(write(i)...)
		}
		want := l.lines(read...)
		payload := l.dump("k")
		l.is("+OK", "RESTORE", "k", "0", payload, "REPLACE")
		if got := l.lines(read...); !slices.Equal(got, want) {
			t.Errorf("%s of %d: came back with %d lines, want %d", name, n, len(got), len(want))
		}
	}
	for _, n := range []int{1, 2, 100, 200, 3000} {
		long := func(i int) string { return fmt.Sprintf("%d-%s", i, strings.Repeat("x", i%100)) }
		f("string", []string{"GET", "k"}, n, func(i int) []string { return []string{"APPEND", "k", long(i)} })
		f("list", []string{"LRANGE", "k", "0", "-1"}, n, func(i int) []string { return []string{"RPUSH", "k", long(i)} })
		f("list of integers", []string{"LRANGE", "k", "0", "-1"}, n, func(i int) []string { return []string{"RPUSH", "k", fmt.Sprint(i * i * 1000)} })
		f("set", []string{"SMEMBERS", "k"}, n, func(i int) []string { return []string{"SADD", "k", long(i)} })
		f("set of integers", []string{"SMEMBERS", "k"}, n, func(i int) []string { return []string{"SADD", "k", fmt.Sprint(i * -77)} })
		f("sorted set", []string{"ZRANGE", "k", "0", "-1", "WITHSCORES"}, n, func(i int) []string { return []string{"ZADD", "k", fmt.Sprint(float64(i) / 3), long(i)} })
		f("hash", []string{"HGETALL", "k"}, n, func(i int) []string { return []string{"HSET", "k", fmt.Sprint("f", i), long(i)} })
	}
}

// What Redis 7.2 dumps has the time at which a consumer was last given an entry.
func TestRestoreKeepsWhenConsumersWereActive(t *testing.T) {
	t.Parallel()
	payload, err := hex.DecodeString("150110000000000000000100000000000000014053530000001f0003010101020181610207010001020100010001816202c0c8" +
		"020501030100010101816302dffd02050100010401dfff020101856f7468657206817802060102010501dfff0281620209010501ff0306" +
		"00010101020401016705000201000000000000000500000000000000000068e5cf8b010000020103626f620168e5cf8b0100000268e5cf8b01000001000000000000000500000000000000000b005bf2418dafac4523")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t)
	l.is("+OK", "RESTORE", "k", "0", string(payload))
	want := flat("$9\r\nseen-time\r\n:1700000000001\r\n$11\r\nactive-time\r\n:1700000000002\r\n")
	if full := flat(l.run("XINFO", "STREAM", "k", "FULL")); !strings.Contains(full, want) {
		t.Errorf("the consumer's times are others: %q", full)
	}
}

// A field's own deadline goes with it, and a field whose deadline has passed does not come back.
func TestRestoreKeepsDeadlinesOfFields(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.run("HSET", "k", "f", "1", "g", "2", "h", "3")
	l.run("HPEXPIRE", "k", "500", "FIELDS", "1", "f")
	l.run("HPEXPIRE", "k", "700", "FIELDS", "1", "g")
	payload := l.dump("k")
	l.is("+OK", "RESTORE", "n", "0", payload)
	want := l.run("HPEXPIRETIME", "k", "FIELDS", "3", "f", "g", "h")
	if got := l.run("HPEXPIRETIME", "n", "FIELDS", "3", "f", "g", "h"); got != want {
		t.Errorf("deadlines %q, want %q", got, want)
	}
	l.call.Now += 600
	l.call.WallNow += 600
	l.is("+OK", "RESTORE", "n", "0", payload, "REPLACE")
	if got := l.lines("HKEYS", "n"); !slices.Contains(got, "g") || !slices.Contains(got, "h") || slices.Contains(got, "f") {
		t.Errorf("fields %q", got)
	}

	l.run("HSET", "only", "f", "1")
	l.run("HPEXPIRE", "only", "10", "FIELDS", "1", "f")
	payload = l.dump("only")
	l.call.Now += 100
	l.call.WallNow += 100
	l.is("+OK", "RESTORE", "gone", "0", payload)
	l.is(":0", "EXISTS", "gone")
}

// A payload that cannot be used leaves what the key holds as it is.
func TestBadPayloadsLeaveTheKey(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.run("RPUSH", "l", "a", "b", "c")
	good := l.dump("l")
	l.run("SET", "k", "old")
	for i := range len(good) {
		changed := []byte(good)
		changed[i] ^= 0x40
		l.is("-ERR DUMP payload version or checksum are wrong", "RESTORE", "k", "0", string(changed), "REPLACE")
	}
	enc := rdb.NewEncoder(0) // a list that says it has three elements and has two
	enc.Begin(rdb.List, 3)
	enc.Element([]byte("a"))
	enc.Element([]byte("b"))
	l.is("-ERR Bad data format", "RESTORE", "k", "0", string(enc.Payload()), "REPLACE")
	l.is("-BUSYKEY Target key name already exists.", "RESTORE", "k", "0", good)
	l.is("$3 old", "GET", "k")
}

// A compressed payload that says more than there is room for is refused, however short it is.
func TestRestoreStaysUnderTheQuota(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.store.SetQuota(0, 4<<10)
	value := []byte{0, 0xc3} // a string of 8 KiB that LZF folded: "a", then copies of 264 bytes
	packed := []byte{0, 'a'}
	length := 1
	for ; length < 8<<10; length += 264 {
		packed = append(packed, 0xe0, 255, 0)
	}
	value = append(value, 0x40|byte(len(packed)>>8), byte(len(packed)), 0x40|byte(length>>8), byte(length))
	payload := payloadOf(append(value, packed...))
	l.is("-OOM command not allowed when used memory > 'maxmemory'.", "RESTORE", "k", "0", payload)
	l.store.SetQuota(0, 64<<10)
	l.is("+OK", "RESTORE", "k", "0", payload)
	l.is(fmt.Sprintf(":%d", length), "STRLEN", "k")
}

// payloadOf adds a version and the checksum to a value.
func payloadOf(value []byte) string {
	table := crc64.MakeTable(0x95ac9329ac4bc9b5)
	value = append(value, 7, 0)
	return string(binary.LittleEndian.AppendUint64(value, ^crc64.Update(^uint64(0), table, value)))
}

func TestDumpOfNothing(t *testing.T) {
	t.Parallel()
	newLab(t).both("$-1", "_", "DUMP", "none")
}
