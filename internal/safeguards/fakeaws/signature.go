package fakeaws

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The credentials of Home, which are nobody's.
const (
	homeKey    = "AKIAFAKEFAKEFAKEFAKE"
	homeSecret = "fake-secret-of-nobody"
)

// Credentials are the access key and secret key of Home.
func Credentials() (accessKey, secretKey string) { return homeKey, homeSecret }

// identity is who has an access key.
type identity struct {
	account, secret, session string
	expires                  time.Time // zero is never
}

// scope is what a signature is for.
type scope struct{ key, date, region, service string }

// authenticate checks the request's Signature Version 4: that it is there, fresh, of a known key, and right.
func (f *Fake) authenticate(r *http.Request, body []byte, now time.Time) (identity, scope, *Error) {
	s, signed, signature, ok := parseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return identity{}, s, &Error{403, "MissingAuthenticationToken", "The request is not signed."}
	}
	who, known := f.keys[s.key]
	if !known {
		return who, s, &Error{403, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	if !who.expires.IsZero() && !now.Before(who.expires) {
		return who, s, &Error{403, "ExpiredToken", "The security token included in the request is expired."}
	}
	if r.Header.Get("X-Amz-Security-Token") != who.session {
		return who, s, &Error{403, "InvalidClientTokenId", "The session token does not belong to the key."}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != s.date || now.Sub(at).Abs() > 15*time.Minute {
		return who, s, &Error{403, "RequestExpired", "The date of the signature is not now."}
	}
	if !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") {
		return who, s, &Error{403, "IncompleteSignature", "The host and the date have to be signed."}
	}
	want := sign(who.secret, s, r, signed, body)
	if subtle.ConstantTimeCompare([]byte(want), []byte(signature)) != 1 {
		return who, s, &Error{403, "SignatureDoesNotMatch", "The signature is not that of the request."}
	}
	return who, s, nil
}

func parseAuthorization(header string) (s scope, signed []string, signature string, ok bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return s, nil, "", false
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			words := strings.Split(value, "/")
			if len(words) != 5 || words[4] != "aws4_request" {
				return s, nil, "", false
			}
			s = scope{words[0], words[1], words[2], words[3]}
		case "SignedHeaders":
			signed = strings.Split(value, ";")
		case "Signature":
			signature = value
		}
	}
	return s, signed, signature, s.key != "" && signature != ""
}

// sign computes the signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func sign(secret string, s scope, r *http.Request, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical := strings.Join([]string{
		r.Method, path, r.URL.RawQuery, headers.String(), strings.Join(signed, ";"), hexSum(body),
	}, "\n")
	within := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + within + "\n" + hexSum([]byte(canonical))
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
