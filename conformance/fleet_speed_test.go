package conformance

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// readers ask one gateway for the entry of one patient again and again, and note when they last got it.
type readers struct {
	subject  atomic.Int64
	lastRead atomic.Int64 // nanoseconds since began; with -long when it was there, else when it was asked for
	began    time.Time
	stop     chan struct{}
	all      sync.WaitGroup
}

func readAt(t *testing.T, l *testkit.Lethe, n int) *readers {
	r := &readers{began: time.Now(), stop: make(chan struct{})}
	for range n {
		c := l.Dial(t, reader)
		r.all.Go(func() {
			for {
				select {
				case <-r.stop:
					return
				default:
				}
				n, at := r.subject.Load(), time.Since(r.began)
				got := c.Do("GET", "TENANT001:patient:"+strconv.FormatInt(n, 10))
				if *long { // else when the answer is looked at is the business of a machine that runs other tests too
					at = time.Since(r.began)
				}
				if string(got.Str) == "v" && r.subject.Load() == n {
					r.lastRead.Store(int64(at))
				}
			}
		})
	}
	return r
}

func (r *readers) end() { close(r.stop); r.all.Wait() }

// G7: a revocation at one gateway, over HTTPS, ends reads at another within a second, and by the time when it is answered.
// -long makes it 1,000 tries; docs/gateways.md has the figures.
func TestARevocationEndsReadsAtTheOtherGateway(t *testing.T) { // not beside others: it is about time
	tries := 50
	if *long {
		tries = 1000
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind), Plain: true}
	one := testkit.StartLethe(t, o)
	officer, stderr, code := one.CLI(t, "", "user", "add", "jane", "--tenants", "TENANT001", "--roles", "privacy-officer")
	if code != 0 {
		t.Fatal(stderr)
	}
	two := joining(t, one, o)
	transport := &http.Transport{TLSClientConfig: one.TLS()}
	defer transport.CloseIdleConnections()
	revoke := func(subject int) {
		body := `{"action":"revoke","tenant":"TENANT001","subject":"` + strconv.Itoa(subject) + `","reason":"patient-request"}`
		r, err := http.NewRequest(http.MethodPost, "https://"+one.Admin+"/v1/consents", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("jane", strings.TrimSpace(officer))
		r.Header.Set("Content-Type", "application/json")
		answer, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("status %d", answer.StatusCode)
		}
	}
	writer, r := one.Dial(t, reader), readAt(t, two, 2)
	defer r.end()
	var asked, returned []time.Duration
	for i := 1; i <= tries; i++ {
		expect(t, writer, "+OK", "SET", "TENANT001:patient:"+strconv.Itoa(i), "v")
		r.lastRead.Store(0)
		r.subject.Store(int64(i))
		for r.lastRead.Load() == 0 { // until the other gateway serves it
			runtime.Gosched()
		}
		sent := time.Since(r.began)
		revoke(i)
		back := time.Since(r.began)
		for range 20 {
			writer.Do("PING")
		}
		last := time.Duration(r.lastRead.Load())
		asked, returned = append(asked, max(last-sent, 0)), append(returned, max(last-back, 0))
	}
	slices.Sort(asked)
	slices.Sort(returned)
	at := func(d []time.Duration, permille int) time.Duration { return d[min(len(d)-1, len(d)*permille/1000)] }
	t.Logf("%d tries; last read at the other gateway after the request was sent: p50 %v, p99 %v, p99.9 %v, most %v; after it was answered: p99.9 %v",
		tries, at(asked, 500), at(asked, 990), at(asked, 999), asked[len(asked)-1], at(returned, 999))
	share := 900 // of few: a machine that runs other tests too may stop for a second
	if *long {
		share = 999
	}
	if at(asked, share) >= time.Second || at(returned, 999) >= time.Second {
		t.Errorf("read %v after the revocation was sent, %v after it was answered", at(asked, share), at(returned, 999))
	}
}
