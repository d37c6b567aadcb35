package audit

import "time"

// View is an event as reports and exports show it. Its JSON form is stable: fields are only ever added.
type View struct {
	Sequence   uint64     `json:"sequence"`
	Time       string     `json:"time"` // RFC 3339, UTC, milliseconds
	User       string     `json:"user,omitempty"`
	Method     string     `json:"method,omitempty"`
	Source     string     `json:"source,omitempty"`
	Connection uint64     `json:"connection,omitempty"`
	Purpose    string     `json:"purpose,omitempty"`
	Tenant     string     `json:"tenant,omitempty"`
	Category   string     `json:"category,omitempty"`
	Command    string     `json:"command,omitempty"`
	Action     string     `json:"action"`
	Outcome    string     `json:"outcome"`
	Entry      string     `json:"entry,omitempty"`   // pseudonym of the key name
	Subject    string     `json:"subject,omitempty"` // pseudonym of the subject
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	Detail     string     `json:"detail,omitempty"`
	// Names are only there when they were asked for.
	KeyName     string `json:"key_name,omitempty"`
	SubjectName string `json:"subject_name,omitempty"`
}

// View shows e under pseudonyms; reveal adds the names themselves.
func (e *Event) View(names *Pseudonyms, reveal bool) View {
	v := View{
		Sequence: e.Sequence, Time: e.At.Format(timeLayout),
		User: e.Actor.User, Method: e.Actor.Method, Source: e.Actor.Source,
		Connection: e.Actor.Connection, Purpose: e.Actor.Purpose,
		Tenant: e.Tenant, Category: e.Category, Command: e.Command,
		Action: e.Action.String(), Outcome: e.Outcome.String(), Detail: e.Detail,
		Entry: names.Key(e.Tenant, e.Key), Subject: names.Subject(e.Tenant, e.Subject),
	}
	if e.ExpiresAt != 0 {
		at := time.UnixMilli(e.ExpiresAt).UTC()
		v.ExpiresAt = &at
	}
	if reveal {
		v.KeyName, v.SubjectName = string(e.Key), string(e.Subject)
	}
	return v
}
