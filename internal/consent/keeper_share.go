package consent

// Known is, by gateway, how many of the changes that were taken there are in this journal.
func (k *Keeper) Known() map[string]uint64 {
	counts := k.journal.Counts()
	if own, ok := counts[""]; ok {
		delete(counts, "")
		counts[k.Name()] = own
	}
	return counts
}

// Name is what other gateways call this one.
func (k *Keeper) Name() string { return k.keys.Name() }

// Since returns changes of a gateway behind the first few, at most so many, as others may have them.
func (k *Keeper) Since(gateway string, after uint64, most int) ([]Change, error) {
	origin := gateway
	if gateway == k.Name() {
		origin = ""
	}
	all, err := k.journal.Since(origin, after, most)
	for i := range all {
		all[i].Origin, all[i].Number = gateway, after+uint64(i)+1
	}
	return all, err
}

// Force puts changes of other gateways in force at once, before Accept has written them down: it costs no more than a look
// at memory. It returns those that the journal lacks, whose place in all it takes.
func (k *Keeper) Force(all []Change) []Change {
	known := k.Known()
	lacking := all[:0]
	for i := range all {
		if c := &all[i]; c.sound() && c.Number > known[c.Origin] {
			k.o.Store.Apply(c)
			lacking = append(lacking, *c)
		}
	}
	return lacking
}

// Accept writes changes of other gateways down and returns those that were new. A change whose predecessor is missing is
// left out: whoever has both is asked for them again.
func (k *Keeper) Accept(all []Change) ([]Change, error) {
	return k.journal.Append(func() ([]Change, error) {
		counts := map[string]uint64{}
		for origin, places := range k.journal.places {
			counts[origin] = uint64(len(places))
		}
		var fresh []Change
		for _, c := range all {
			if c.Origin == k.Name() {
				c.Origin = "" // this directory was put back from a backup, and lacks what it had told others
			}
			if !c.sound() || c.Number != counts[c.Origin]+1 {
				continue
			}
			counts[c.Origin]++
			if c.Origin == "" {
				c.Number = 0
			}
			fresh = append(fresh, c)
		}
		return fresh, nil
	})
}

// sound reports whether a change that another gateway sent is one that it could have taken.
func (c *Change) sound() bool {
	return (c.Action == Revoke || c.Action == Restore) && IsID(c.ID) && isTenant(c.Tenant) && isSubject(c.Subject) &&
		c.Since > 0 && (c.Until == 0 || c.Until > c.Since) && len(c.Origin) <= maxTenantBytes && c.Number > 0
}
