package cli

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/identity"
)

// consentServer is a whole server in this process, with an application and an officer.
type consentServer struct {
	*serving
	tokens map[string]string
	tls    *tls.Config
	stop   func()
}

func startConsentServer(t *testing.T) *consentServer {
	t.Helper()
	settings, mistakes := config.Load("", map[string]string{
		"data-dir": filepath.Join(t.TempDir(), "data"), "listen": "127.0.0.1:0", "admin-listen": "127.0.0.1:0",
	}, func(string) string { return "" })
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	s, err := start(settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := &consentServer{serving: s, tokens: map[string]string{}, tls: &tls.Config{MinVersion: tls.VersionTLS13}}
	for _, u := range []identity.NewUser{
		{Name: "service", Tenants: []string{"TENANT001"}},
		{Name: "jane", Tenants: []string{"TENANT001"}, Attributes: map[string]string{"roles": "privacy-officer"}},
	} {
		err := s.gateway.Directory.Update(func(d *identity.Draft) error {
			token, err := d.Add(u)
			c.tokens[u.Name] = string(token.Reveal())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if c.tls.RootCAs, err = authorities(s.dir.File("ca.pem")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	c.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.close()
	}
	return c
}

// client is one connection of the application.
type client struct {
	*bufio.Reader
	*tls.Conn
}

func (c *consentServer) connect(t *testing.T) *client {
	t.Helper()
	conn, err := tls.Dial("tcp", c.listener.Addr().String(), c.tls)
	if err != nil {
		t.Fatal(err)
	}
	x := &client{bufio.NewReader(conn), conn}
	if reply := x.do(t, "AUTH service "+c.tokens["service"]); reply != "+OK" {
		t.Fatal(reply)
	}
	return x
}

// do sends words and returns the first line of the reply; the line of a value is dropped.
func (x *client) do(t *testing.T, call string) string {
	words := strings.Fields(call)
	text := fmt.Sprintf("*%d\r\n", len(words))
	for _, w := range words {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := x.Conn.Write([]byte(text)); err != nil {
		t.Error(err)
		return ""
	}
	line, err := x.ReadString('\n')
	if err == nil && line[0] == '$' && line[1] != '-' {
		_, err = x.ReadString('\n')
	}
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(line)
}

func (c *consentServer) revoke(t *testing.T, subject string) {
	t.Helper()
	body := `{"action":"revoke","tenant":"TENANT001","subject":"` + subject + `","reason":"patient-request"}`
	r, err := http.NewRequest("POST", "https://"+c.adminListener.Addr().String()+"/v1/consents", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("jane", c.tokens["jane"])
	r.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: c.tls, DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("status %d", answer.StatusCode)
	}
}

// G7: what other connections can still read of a patient after a revocation has returned, and how long after it was asked
// for. LETHE_CONSENT_TRIES=1000 measures; docs/consent.md has the figures.
func TestNothingIsReadAfterARevocation(t *testing.T) {
	t.Parallel()
	tries := 20
	if n, err := strconv.Atoi(os.Getenv("LETHE_CONSENT_TRIES")); err == nil {
		tries = n
	}
	c := startConsentServer(t)
	defer c.stop()
	writer := c.connect(t)
	var subject atomic.Int64
	var lastRead atomic.Int64 // when the subject's entry was asked for that was read last, nanoseconds since begun
	begun := time.Now()
	stop := make(chan struct{})
	ended := make(chan struct{}, 2)
	for range 2 {
		reader := c.connect(t)
		go func() {
			defer func() { reader.Conn.Close(); ended <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				n, asked := subject.Load(), time.Since(begun) // when the answer is looked at is the machine's business
				if reader.do(t, fmt.Sprint("GET TENANT001:patient:", n)) == "$1" && subject.Load() == n {
					lastRead.Store(int64(asked))
				}
			}
		}()
	}
	var asked, returned []time.Duration
	for i := range tries {
		if reply := writer.do(t, fmt.Sprint("SET TENANT001:patient:", i+1, " x")); reply != "+OK" {
			t.Fatal(reply)
		}
		lastRead.Store(0)
		subject.Store(int64(i + 1))
		for lastRead.Load() == 0 { // until somebody reads it
			runtime.Gosched()
		}
		sent := time.Since(begun)
		c.revoke(t, strconv.Itoa(i+1))
		back := time.Since(begun)
		for range 5 {
			writer.do(t, "PING")
		}
		last := time.Duration(lastRead.Load())
		asked, returned = append(asked, last-sent), append(returned, max(last-back, 0))
	}
	close(stop)
	<-ended
	<-ended
	slices.Sort(asked)
	slices.Sort(returned)
	at := func(d []time.Duration) time.Duration { return d[min(len(d)-1, len(d)*999/1000)] }
	t.Logf("last read after the request was sent: p50 %s, p99.9 %s; after it returned: p99.9 %s", asked[len(asked)/2], at(asked), at(returned))
	if at(returned) >= time.Second {
		t.Errorf("read %s after the revocation had returned", at(returned))
	}
}
