package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lethe-cache/lethe/internal/secret"
)

const mark = "MARK-of-a-secret"

type holder struct {
	Public  secret.Bytes
	private secret.Bytes
	nested  *holder
}

func newHolder() holder {
	return holder{
		Public: secret.New([]byte(mark)), private: secret.New([]byte(mark)),
		nested: &holder{private: secret.New([]byte(mark))},
	}
}

// Every printer that a secret could meet, with the secret alone, in a slice, and inside exported and unexported fields.
func TestNoPrinterShowsTheBytes(t *testing.T) {
	t.Parallel()
	h := newHolder()
	s := h.Public
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%c", "%08b", "% x", "%-20s"} {
		for _, v := range []any{s, &s, []secret.Bytes{s}, map[string]secret.Bytes{"k": s}, h, &h, []holder{h}, any(h)} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
	}
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("m", "s", s, "p", &s, "h", h, "ph", &h)
	}
	printed = append(printed, out.String(), marshal(t, json.Marshal, h), marshal(t, json.Marshal, s), marshal(t, yaml.Marshal, h),
		marshal(t, yaml.Marshal, s), marshal(t, xml.Marshal, h), s.String(), fmt.Sprint(fmt.Errorf("wrapped %v", s)))
	for _, text := range printed {
		for _, form := range []string{mark, fmt.Sprintf("%x", mark), fmt.Sprintf("%X", mark), fmt.Sprintf("%d", []byte(mark)[:4]), "TUFSSy1vZi"} {
			if strings.Contains(text, strings.Trim(form, "[]")) {
				t.Errorf("shown: %s", text)
			}
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %x", s, s, s, s, s); got != strings.TrimSpace(strings.Repeat("[secret] ", 5)) {
		t.Error(got)
	}
	if got := marshal(t, json.Marshal, h); got != `{"Public":"[secret]"}` {
		t.Error(got)
	}
}

func marshal(t *testing.T, f func(any) ([]byte, error), v any) string {
	t.Helper()
	out, err := f(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBytes(t *testing.T) {
	t.Parallel()
	raw := []byte(mark)
	s := secret.New(raw)
	copied := s
	if string(s.Reveal()) != mark || s.Len() != len(mark) || !s.Equal(secret.New([]byte(mark))) || s.Equal(secret.New([]byte("other"))) || s.Equal(secret.Bytes{}) {
		t.Error("not what was put in")
	}
	s.Clear()
	if copied.Reveal() != nil || copied.Len() != 0 || bytes.ContainsAny(raw, mark) {
		t.Error("not cleared")
	}
	s.Clear()
	var zero secret.Bytes
	zero.Clear()
	if zero.Reveal() != nil || fmt.Sprint(zero) != "[secret]" || !zero.Equal(s) {
		t.Error("the zero value is not an empty secret")
	}
}
