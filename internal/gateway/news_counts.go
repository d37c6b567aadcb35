package gateway

import "sync"

// counts are commands that were admitted since they were told last, by the names of those who are held to a rate.
type counts struct {
	Users   map[string]int64 `json:"users,omitempty"`
	Tenants map[string]int64 `json:"tenants,omitempty"`
}

// TellCounts tells the other gateways what was admitted here towards the limits that they share. It is called ten times a
// second, which is by how much a limit can be passed: what the others admit within that time is not known yet.
func (g *Gateway) TellCounts() {
	c := counts{gatherCounts(&g.access.users), gatherCounts(&g.access.tenants)}
	if len(c.Users)+len(c.Tenants) > 0 {
		g.tell(newsCounts, encodeNews(&c))
	}
}

func gatherCounts(all *sync.Map) map[string]int64 {
	found := map[string]int64{}
	all.Range(func(name, r any) bool {
		if n := r.(*allowance).untold.Swap(0); n > 0 {
			found[name.(string)] = n
		}
		return true
	})
	return found
}

// takeCounts counts what another gateway has admitted towards the limits here.
func (g *Gateway) takeCounts(c *counts) {
	now := g.Clock.Now()
	for name, n := range c.Users {
		addCount(&g.access.users, name, n, now)
	}
	for name, n := range c.Tenants {
		addCount(&g.access.tenants, name, n, now)
	}
}

func addCount(all *sync.Map, name string, n, now int64) {
	if r, ok := all.Load(name); ok && n > 0 {
		r.(*allowance).turn(now)
		r.(*allowance).n.Add(n)
	}
}
