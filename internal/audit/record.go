package audit

// Actor is who acts: built once for a connection and never changed afterwards. A change of user or purpose makes a new
// one, because the encoder takes an equal pointer for an equal actor.
type Actor struct {
	User       string // the name that was authenticated, empty before
	Method     string // how: "token", "certificate", "system" ...
	Source     string // address of the peer
	Connection uint64 // number of the connection in this process, 0 for the process itself
	Purpose    string // purpose of use that the connection stated, empty for none
}

// Record says what one command (or the store itself) did to one entry. Values are never part of it. The byte slices are
// the caller's and are copied by Batch.Add.
type Record struct {
	At        int64   // wall clock, Unix milliseconds
	Actor     *Actor  // nil is an actor without a name
	Command   string  // upper-case command name such as "GET" or "ACL|GETUSER", empty for what no command caused
	Action    Action  // never zero
	Outcome   Outcome // never zero
	Tenant    string
	Category  string
	Key       []byte // the client's key name; on disk it exists only sealed
	Subject   []byte // the patient; may be a part of Key and then costs two bytes
	ExpiresAt int64  // deadline granted or enforced, wall clock in Unix milliseconds; 0 when it does not apply
	Detail    string // a short machine word such as "asked=3600s"; never client data
}

// systemActor is the actor of what Lethe does by itself.
func systemActor() *Actor { return &Actor{User: "lethe", Method: "system"} }
