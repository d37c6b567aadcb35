package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// Errors of a FHIR Consent that cannot be acted on. None of them repeats what the resource says.
var (
	ErrNotConsent = errors.New("the body is not a FHIR R4 Consent resource in JSON")
	ErrNoPatient  = errors.New("patient.reference does not name a patient as Patient/ID")
	ErrNoDenial   = errors.New("the consent is not withdrawn: status is neither inactive nor entered-in-error, and no provision denies, or only for a time that is over")
)

// maxProvisions bounds how deep provisions may stand in one another.
const maxProvisions = 16

// consentResource is what is looked at of a Consent (FHIR R4, 6.2). Members are found by their exact names: encoding/json
// alone would take "Status" for "status", and the last of two.
type consentResource map[string]json.RawMessage

// ParseFHIR makes an order of a FHIR R4 Consent: one whose status is inactive or entered-in-error, or with a provision of
// type deny, revokes the consent of its patient. A provision that denies a part only revokes the whole: a cache cannot keep
// a part of an entry back. Where the root provision denies and says when that ends, the revocation ends then. A rejected or
// proposed consent was not in force and revokes nothing unless it denies.
func ParseFHIR(body []byte, now time.Time) (Order, error) {
	r, err := members(body)
	if err != nil || r.text("resourceType") != "Consent" {
		return Order{}, ErrNotConsent
	}
	o := Order{Action: Revoke}
	patient, err := r.object("patient")
	if err != nil {
		return Order{}, ErrNotConsent
	}
	id, ok := PatientID([]byte(patient.text("reference")))
	if !ok || !isSubject(string(id)) {
		return Order{}, ErrNoPatient
	}
	o.Subject = string(id)
	root, err := r.object("provision")
	if err != nil {
		return Order{}, ErrNotConsent
	}
	denies, err := root.denies(0)
	if err != nil {
		return Order{}, err
	}
	switch status := r.text("status"); {
	case status == "":
		return Order{}, ErrNotConsent
	case status == "entered-in-error":
		o.Reason = EnteredInError
	case status == "inactive":
		o.Reason = PatientRequest
	case denies:
		o.Reason = NeverGiven
		if root.text("type") == "deny" {
			if o.Until, err = root.end(); err != nil {
				return Order{}, err
			}
			if !o.Until.IsZero() && !o.Until.After(now) {
				return Order{}, ErrNoDenial // it denied for a time that is over
			}
		}
	default:
		return Order{}, ErrNoDenial
	}
	return o, nil
}

// members reads an object; a member that stands there twice is an error, since readers differ in which they take.
func members(text []byte) (consentResource, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, ErrNotConsent
	}
	r := consentResource{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, ErrNotConsent
		}
		var value json.RawMessage
		if _, twice := r[name.(string)]; twice || d.Decode(&value) != nil {
			return nil, ErrNotConsent
		}
		r[name.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, ErrNotConsent
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNotConsent
	}
	return r, nil
}

// text is a member that is text, "" where there is none.
func (r consentResource) text(name string) (s string) {
	if json.Unmarshal(r[name], &s) != nil {
		return ""
	}
	return s
}

// object is a member that is an object; one that is not there is empty.
func (r consentResource) object(name string) (consentResource, error) {
	if r[name] == nil {
		return consentResource{}, nil
	}
	return members(r[name])
}

// denies reports whether a provision or one inside of it denies.
func (r consentResource) denies(depth int) (bool, error) {
	if depth > maxProvisions {
		return false, ErrNotConsent
	}
	if r.text("type") == "deny" {
		return true, nil
	}
	if r["provision"] == nil {
		return false, nil
	}
	var inner []json.RawMessage
	if json.Unmarshal(r["provision"], &inner) != nil {
		return false, ErrNotConsent
	}
	for _, text := range inner {
		p, err := members(text)
		if err != nil {
			return false, err
		}
		if denied, err := p.denies(depth + 1); denied || err != nil {
			return denied, err
		}
	}
	return false, nil
}

// end is when a provision's period ends; zero where it does not. A date without a time ends with its day, its month or its year
// (FHIR R4, 2.24.0.11: the end includes all that fits it).
func (r consentResource) end() (time.Time, error) {
	period, err := r.object("period")
	if err != nil || period["end"] == nil {
		return time.Time{}, err
	}
	text := period.text("end")
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	for layout, length := range map[string][3]int{"2006": {1, 0, 0}, "2006-01": {0, 1, 0}, time.DateOnly: {0, 0, 1}} {
		if t, err := time.Parse(layout, text); err == nil {
			// Its days may be those of any zone: the last is over everywhere 12 hours after it ended in UTC.
			return t.AddDate(length[0], length[1], length[2]).Add(12 * time.Hour), nil
		}
	}
	return time.Time{}, ErrNotConsent
}
