package consent

// Standing is a change as lists show it: under a pseudonym, unless names were asked for.
type Standing struct {
	ID        string `json:"id"`
	Action    Action `json:"action"`
	Tenant    string `json:"tenant"`
	Subject   string `json:"subject"` // pseudonym
	Name      string `json:"subject_name,omitempty"`
	Reason    Reason `json:"reason"`
	Since     string `json:"since"`
	Until     string `json:"until,omitempty"`
	By        string `json:"by"`
	InForce   bool   `json:"in_force"`          // of a revocation: the subject can be neither read nor written
	Confirmed bool   `json:"confirmed"`         // a receipt was issued here
	Gateway   string `json:"gateway,omitempty"` // where it was taken, which has the receipt; empty: here
}

// List reads the journal of a data directory from its beginning and shows the changes that choose wants, the oldest first.
// Whether a revocation is in force is told of the subject as a whole: a later revocation can keep an earlier one in force.
func List(o Options, names bool, choose func(tenant string) bool) ([]Standing, error) {
	keys, err := OpenKeys(o.Dir)
	if err != nil {
		return nil, err
	}
	k := &Keeper{o: o, keys: keys}
	now := NewStore(o.Clock, o.Fence)
	var all []Change
	j := NewJournal(o.Dir.File(JournalFile), o.Dir, func(c *Change) {
		now.Apply(c)
		if choose(c.Tenant) {
			all = append(all, *c)
		}
	})
	if err := j.Read(); err != nil {
		return nil, err
	}
	list := make([]Standing, len(all))
	for i := range all {
		c := &all[i]
		r := k.receipt(c)
		list[i] = Standing{
			ID: c.ID, Action: c.Action, Tenant: c.Tenant, Subject: r.Subject, Reason: c.Reason, Since: r.Since, Until: r.Until,
			By: c.By, Gateway: c.Origin, InForce: c.Action == Revoke && now.Live(c.Tenant, bytesOf(c.Subject)),
		}
		if names {
			list[i].Name = c.Subject
		}
		_, err := ReadReceipt(o.Dir, c.ID)
		list[i].Confirmed = err == nil
	}
	return list, nil
}
