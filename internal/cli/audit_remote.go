package cli

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

// auditRemote is a running server whose audit is asked for, and as whom.
type auditRemote struct{ server, as, ca string }

// searchRemotely asks a running server's admin API. Nothing of the data directory is used.
func (a *auditCommand) searchRemotely(r *auditRemote, words *searchWords) error {
	if r.as == "" || a.reveal || a.openingKey != "" || a.dataDir != "" {
		return fail(exitUsage, "names are shown where the key is: run `lethe audit search --reveal` there", errors.New("--server needs --as, and takes no --reveal, --opening-key and --data-dir"))
	}
	at, err := url.Parse(r.server)
	if err != nil || at.Scheme != "https" || at.Host == "" {
		return fail(exitUsage, "write https://HOST:9380", errors.New("--server is no address of an admin API"))
	}
	asked, err := words.values(time.Now())
	if err != nil {
		return err
	}
	roots, err := authorities(r.ca)
	if err != nil {
		return fail(exitUsage, "", err)
	}
	// It may be a JWT or a directory's password too, so the rule for tokens is not held against it.
	given, err := io.ReadAll(io.LimitReader(a.env.stdin, maxStdinBytes))
	if err != nil {
		return fail(exitFailure, "", fmt.Errorf("cannot read the token from standard input: %w", err))
	}
	defer clear(given)
	at = at.JoinPath("/v1/audit")
	at.RawQuery = asked.Encode()
	request, err := http.NewRequest(http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth(r.as, string(bytes.TrimRight(given, "\r\n")))
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return fail(exitFailure, "is the server up, and --ca the authority of its certificate?", fmt.Errorf("cannot ask the server: %w", err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return remoteFailure(answer)
	}
	return a.printRemote(answer.Body)
}

// remoteFailure is what the server says of its refusal.
func remoteFailure(answer *http.Response) error {
	var said struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(answer.Body, 4096)).Decode(&said) != nil || said.Error == "" {
		said.Error = answer.Status
	}
	return fail(exitFailure, "a user with the role auditor may read the audit", fmt.Errorf("the server refuses: %s", cell(said.Error)))
}

func (a *auditCommand) printRemote(body io.Reader) error {
	if a.json {
		_, err := io.Copy(a.env.stdout, body)
		return err
	}
	show := a.viewPrinter()
	for lines := json.NewDecoder(body); ; {
		var v audit.View
		if err := lines.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fail(exitFailure, "ask for less at once", errors.New("the answer broke off: what is shown is not all"))
		}
		if err := show(v); err != nil {
			return err
		}
	}
}

// values are the words as the admin API takes them, with times that mean the same on the server's clock.
func (w *searchWords) values(now time.Time) (url.Values, error) {
	q, err := w.query(now)
	if err != nil {
		return nil, err
	}
	asked := url.Values{}
	set := func(name, value string) {
		if value != "" {
			asked.Set(name, value)
		}
	}
	set("user", q.User)
	set("tenant", q.Tenant)
	set("subject", q.Subject)
	set("category", q.Category)
	set("action", w.action)
	set("outcome", w.outcome)
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() {
			set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.Limit > 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	return asked, nil
}
