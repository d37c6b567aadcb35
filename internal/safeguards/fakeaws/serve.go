package fakeaws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request on its way.
type call struct {
	*Region
	service, action string
	in              params
	now             time.Time
	host            string
}

// protocol is how a service is spoken to.
type protocol uint8

const (
	_ protocol = iota
	query
	ec2Query
	jsonRPC
)

func protocolOf(service string) protocol {
	switch service {
	case "elasticache", "sts":
		return query
	case "ec2":
		return ec2Query
	default:
		return jsonRPC
	}
}

// ServeHTTP answers a request to any service: the signature says which one it is for.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reply, p, action, failed := f.answer(r, body)
	if errors.Is(failed, errLost) {
		panic(http.ErrAbortHandler) // how a handler hangs up
	}
	var problem *Error
	if errors.As(failed, &problem) {
		writeError(w, p, problem)
		return
	}
	switch p {
	case query:
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(encodeXML(action, reply))
	case ec2Query:
		w.Header().Set("Content-Type", "text/xml")
		_ = xml.NewEncoder(w).EncodeElement(reply, xml.StartElement{Name: xml.Name{Local: action + "Response"}})
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(encodeJSON(reply))
	}
}

var errLost = errors.New("the connection is lost")

// Error makes an Error a Go error.
func (e *Error) Error() string { return e.Code }

func (f *Fake) answer(r *http.Request, body []byte) (reply any, p protocol, action string, _ error) {
	now := f.o.Now()
	who, s, problem := f.authenticate(r, body, now)
	p = protocolOf(s.service)
	if problem != nil {
		return nil, p, "", problem
	}
	svc := f.services[s.service]
	if svc == nil {
		return nil, p, "", invalid("The fake has no service %s.", s.service)
	}
	action, in, problem := svc.decode(p, r, body)
	if problem != nil {
		return nil, p, action, problem
	}
	c := &call{Region: f.region(who.account, s.region), service: s.service, action: action, in: in, now: now, host: r.Host}
	told := Call{who.account, s.region, s.service, action, subjectOf(in), writes(action), now}
	f.calls = append(f.calls, told)
	if !f.allow(strings.Join([]string{who.account, s.region, s.service}, "/"), now) {
		return nil, p, action, Throttled()
	}
	var fault *Fault
	if f.o.Fault != nil {
		fault = f.o.Fault(told)
	}
	if fault != nil && !fault.After {
		return nil, p, action, fault.err()
	}
	if problem := svc.check(action, in); problem != nil {
		return nil, p, action, problem
	}
	for _, region := range f.regions {
		region.settle(now)
	}
	reply, problem = f.operations[s.service+"."+action](c)
	if f.o.Trace != nil {
		f.o.Trace(told, problem)
	}
	if fault != nil {
		return nil, p, action, fault.err()
	}
	if problem != nil {
		return nil, p, action, problem
	}
	return reply, p, action, nil
}

func (x *Fault) err() error {
	if x.Error == nil {
		return errLost
	}
	return x.Error
}

// decode reads the action and its members.
func (s *service) decode(p protocol, r *http.Request, body []byte) (string, params, *Error) {
	if p == jsonRPC {
		_, action, ok := cutLast(r.Header.Get("X-Amz-Target"), ".")
		if !ok || r.Method != http.MethodPost {
			return "", nil, &Error{400, "UnknownOperationException", "There is no target."}
		}
		in, err := jsonParams(body)
		return action, in, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		return "", nil, &Error{400, "MalformedQueryString", "The body is not a form."}
	}
	action := form.Get("Action")
	if form.Get("Version") == "" {
		return action, nil, &Error{400, "MissingParameter", "The request must contain the parameter Version."}
	}
	if _, ok := s.ops[action]; !ok {
		return action, nil, &Error{400, "InvalidAction", "The action or operation requested is invalid."}
	}
	in, problem := s.queryParams(action, form)
	return action, in, problem
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func writeError(w http.ResponseWriter, p protocol, e *Error) {
	switch p {
	case jsonRPC:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(e.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.Code, "message": e.Message})
	case ec2Query:
		w.WriteHeader(e.Status)
		_, _ = io.WriteString(w, "<Response><Errors><Error><Code>"+e.Code+"</Code><Message>"+escape(e.Message)+
			"</Message></Error></Errors><RequestID>fake</RequestID></Response>")
	default:
		w.WriteHeader(e.Status)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Type>Sender</Type><Code>"+e.Code+"</Code><Message>"+escape(e.Message)+
			"</Message></Error><RequestId>fake</RequestId></ErrorResponse>")
	}
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
	return b.String()
}

// subjectOf is the resource that a request names.
func subjectOf(in params) string {
	for _, name := range []string{
		"ReplicationGroupId", "CacheClusterId", "ServerlessCacheName", "ClusterName", "ResourceName", "ResourceArn", "GroupId", "KeyId",
	} {
		if s := in.text(name); s != "" {
			return s
		}
	}
	return ""
}

// writes tells what changes something from what only looks.
func writes(action string) bool {
	for _, prefix := range []string{"Describe", "List", "Get", "Receive", "AssumeRole"} {
		if strings.HasPrefix(action, prefix) {
			return false
		}
	}
	return true
}
