package consent_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/secret"
)

func openJournal(t *testing.T, dir *secret.Dir) (*consent.Journal, *[]string) {
	t.Helper()
	var read []string
	return consent.NewJournal(dir.File(consent.JournalFile), dir, func(c *consent.Change) { read = append(read, c.Subject) }), &read
}

func appendTo(t *testing.T, j *consent.Journal, subject string) {
	t.Helper()
	_, err := j.Append(func() ([]consent.Change, error) {
		return []consent.Change{{ID: "A", Action: consent.Revoke, Tenant: "T1", Subject: subject}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcessesShareAJournal(t *testing.T) {
	t.Parallel()
	dir, err := secret.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	one, readByOne := openJournal(t, dir)
	two, readByTwo := openJournal(t, dir)
	if err := one.Read(); err != nil || one.Grown() {
		t.Fatalf("a journal that is not there: %v", err)
	}
	appendTo(t, one, "a")
	if !two.Grown() {
		t.Error("what another process wrote is not seen")
	}
	appendTo(t, two, "b")
	appendTo(t, one, "c")
	if err := two.Read(); err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]string{*readByOne, *readByTwo} {
		if len(got) != 3 || got[0] != "a" || got[1] != "b" || got[2] != "c" {
			t.Errorf("read %v", got)
		}
	}
	held, err := os.ReadFile(dir.File(consent.JournalFile))
	if err != nil || bytes.Contains(held, []byte("subject")) {
		t.Errorf("the journal is not sealed: %v", err)
	}
}

func TestAJournalThatWasChanged(t *testing.T) {
	t.Parallel()
	f := func(what string, want error, change func([]byte) []byte) {
		t.Helper()
		dir, err := secret.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		j, _ := openJournal(t, dir)
		for _, s := range []string{"a", "b", "c"} {
			appendTo(t, j, s)
		}
		path := dir.File(consent.JournalFile)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(text), 0o600); err != nil {
			t.Fatal(err)
		}
		again, _ := openJournal(t, dir)
		if err := again.Read(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	record := func(b []byte, i int) (from, to int) {
		for ; i >= 0; i-- {
			from = to
			to = from + 4 + int(b[from+2])<<8 + int(b[from+3])
		}
		return from, to
	}
	f("nothing", nil, func(b []byte) []byte { return b })
	f("a flipped bit", consent.ErrJournal, func(b []byte) []byte { b[100] ^= 1; return b })
	f("a record too few", consent.ErrJournal, func(b []byte) []byte {
		from, to := record(b, 1)
		return append(b[:from:from], b[to:]...)
	})
	f("no first record", consent.ErrJournal, func(b []byte) []byte {
		_, to := record(b, 0)
		return b[to:]
	})
	f("a record twice", consent.ErrJournal, func(b []byte) []byte {
		from, to := record(b, 2)
		return append(b, b[from:to]...)
	})
	f("a wrong length", consent.ErrJournal, func(b []byte) []byte { b[0] = 1; return b })
	f("a record that was being written", nil, func(b []byte) []byte { return b[:len(b)-5] })
}

// What a process that died has left at the end is overwritten by the next record.
func TestATornRecordIsWrittenOver(t *testing.T) {
	t.Parallel()
	dir, err := secret.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j, _ := openJournal(t, dir)
	appendTo(t, j, "a")
	path := dir.File(consent.JournalFile)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte{0, 0, 1, 0, 'x'}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	second, read := openJournal(t, dir)
	appendTo(t, second, "b")
	if len(*read) != 2 {
		t.Errorf("read %v", *read)
	}
	third, read := openJournal(t, dir)
	if err := third.Read(); err != nil || len(*read) != 2 {
		t.Errorf("read %v, %v", *read, err)
	}
}

func TestAJournalThatShrinksIsNotForgiven(t *testing.T) {
	t.Parallel()
	dir, err := secret.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j, _ := openJournal(t, dir)
	appendTo(t, j, "a")
	if err := os.Truncate(dir.File(consent.JournalFile), 0); err != nil {
		t.Fatal(err)
	}
	if err := j.Read(); !errors.Is(err, consent.ErrJournal) {
		t.Errorf("truncated: %v", err)
	}
	if err := os.Remove(dir.File(consent.JournalFile)); err != nil {
		t.Fatal(err)
	}
	if err := j.Read(); !j.Grown() || !errors.Is(err, consent.ErrJournal) {
		t.Errorf("removed: %v", err)
	}
}

func TestAJournalThatOthersMayWriteIsRefused(t *testing.T) {
	t.Parallel()
	dir, err := secret.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j, _ := openJournal(t, dir)
	appendTo(t, j, "a")
	if err := os.Chmod(filepath.Join(dir.Path(), consent.JournalFile), 0o666); err != nil {
		t.Fatal(err)
	}
	again, _ := openJournal(t, dir)
	if err := again.Read(); !errors.Is(err, consent.ErrJournal) {
		t.Errorf("error %v", err)
	}
}
