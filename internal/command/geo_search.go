package command

import (
	"github.com/lethe-cache/lethe/internal/geohash"
)

func geoSearchCommands() []*Spec {
	const (
		cost    = "O(N+log(M)) with N members in the squares around the shape and M in the set"
		with    = " [WITHCOORD] [WITHDIST] [WITHHASH]"
		limit   = " [COUNT count [ANY]]"
		order   = " [ASC | DESC]"
		units   = " <M | KM | FT | MI>"
		where   = "<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius" + units + " | BYBOX width height" + units + ">"
		storing = " [STORE key] [STOREDIST key]"
	)
	// radius is GEORADIUS and its kin. The source is the first key; what is stored goes where a word far behind says.
	radius := func(name, since string, arity int, summary, syntax string, form geoForm) *Spec {
		s := &Spec{Name: name, Arity: arity, Flags: ReadOnly, Categories: CatGeo, Keys: oneKey(KeyRO | KeyAccess),
			Group: "geo", Since: since, Complexity: cost, Summary: summary, Syntax: "key " + syntax + units + with + limit + order,
			Action: ActionRead, Run: func(c *Call) { runGeoRadius(c, form) }}
		if form.store {
			s.Flags, s.Effect, s.Action = Write|DenyOOM|MovableKeys, EffectDerive, ActionWrite
			s.Syntax += storing
			for _, words := range [][2]string{{"STORE", "STOREDIST"}, {"STOREDIST", "STORE"}} {
				s.Keys = append(s.Keys, KeySpec{Keyword: words[0], From: -arity, Step: 1, Flags: KeyOW | KeyUpdate,
					Place: lastNamed(-arity, words[0], map[string]int{"COUNT": 1, words[1]: 1})})
			}
		}
		return s
	}
	const (
		ofPlace  = "Returns or stores the members within a radius around a place; GEOSEARCH has taken its place."
		ofMember = "Returns or stores the members within a radius around a member; GEOSEARCH has taken its place."
		readOnly = "Returns the members within a radius; GEOSEARCH has taken its place."
	)
	return []*Spec{
		{Name: "GEOSEARCH", Arity: -7, Flags: ReadOnly, Categories: CatGeo, Keys: oneKey(KeyRO | KeyAccess),
			Group: "geo", Since: "6.2.0", Complexity: cost, Summary: "Returns the members within a circle or a rectangle.",
			Syntax: "key " + where + order + limit + with, Action: ActionRead,
			Run: func(c *Call) { runGeoSearch(c, geoSearch{form: geoForm{search: true}, into: -1}, 2) }},
		{Name: "GEOSEARCHSTORE", Arity: -8, Flags: Write | DenyOOM, Categories: CatGeo,
			Keys:  []KeySpec{{Begin: 1, Step: 1, Flags: KeyOW | KeyUpdate}, {Begin: 2, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "geo", Since: "6.2.0", Complexity: cost, Summary: "Stores the members within a circle or a rectangle, within one tenant; the deadline is no later.",
			Syntax: "destination source " + where + order + limit + " [STOREDIST]", Effect: EffectDerive, Action: ActionWrite,
			Run: func(c *Call) {
				runGeoSearch(c, geoSearch{form: geoForm{search: true, store: true}, source: 1}, 3)
			}},
		radius("GEORADIUS", "3.2.0", -6, ofPlace, "longitude latitude radius", geoForm{store: true}),
		radius("GEORADIUS_RO", "3.2.10", -6, readOnly, "longitude latitude radius", geoForm{}),
		radius("GEORADIUSBYMEMBER", "3.2.0", -5, ofMember, "member radius", geoForm{fromMember: true, store: true}),
		radius("GEORADIUSBYMEMBER_RO", "3.2.10", -5, readOnly, "member radius", geoForm{fromMember: true}),
	}
}

func runGeoRadius(c *Call, form geoForm) {
	g := geoSearch{form: form, into: -1}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	at := 4
	switch {
	case form.fromMember:
		if at = 3; z.Exists() && !g.centerAt(c, &z, 2) {
			return
		}
	default:
		if g.shape.Center, ok = c.place(2); !ok {
			return
		}
	}
	// Around a member of nothing Redis does not look at the radius.
	if (z.Exists() || !form.fromMember) && !g.readRadius(c, at) {
		return
	}
	if g.read(c, &z, at+2) {
		g.run(c, &z)
	}
}

func runGeoSearch(c *Call, g geoSearch, at int) {
	z, ok := c.zset(g.source)
	if ok && g.read(c, &z, at) {
		g.run(c, &z)
	}
}

func (g *geoSearch) run(c *Call, z *sortedSet) {
	if g.count != 0 && g.order == anyOrder && !g.any {
		g.order = nearestFirst // the nearest are the ones that are wanted
	}
	var p geoPoints
	defer p.clear()
	if z.Exists() {
		g.collect(z, &p)
	}
	g.arrange(&p)
	if g.into >= 0 {
		g.store(c, z, p.list)
	} else {
		g.answer(c, z, p.list)
	}
}

// collect gathers the members within the shape, in the order in which Redis meets them.
func (g *geoSearch) collect(z *sortedSet, p *geoPoints) {
	most := int64(0)
	if g.any {
		most = g.count
	}
	measure := g.withDistance || g.storeDistance || g.order != anyOrder
	filter := geohash.NewFilter(&g.shape)
	var room [9]geohash.Range
	for _, r := range g.shape.Cover(room[:0]) {
		rank := z.RankOfScore(r.From, false)
		it := z.Iter(rank, false)
		for ; it.Next() && it.Score() < r.To; rank++ {
			if most > 0 && int64(len(p.list)) >= most {
				it.Close()
				return
			}
			place := geohash.FromScore(it.Score())
			if !filter.Contains(place) {
				continue
			}
			found := geoPoint{rank: rank, score: it.Score()}
			if measure {
				found.distance = filter.Distance(place)
			}
			p.add(found)
		}
		it.Close()
	}
}

// answer answers the members that were found, each with what was asked for.
func (g *geoSearch) answer(c *Call, z *sortedSet, points []geoPoint) {
	parts := 1 + int(one(g.withDistance)+one(g.withHash)+one(g.withPlace))
	c.Out.Array(len(points))
	for i := range points {
		p := &points[i]
		if parts > 1 {
			c.Out.Array(parts)
		}
		it := z.Iter(p.rank, false)
		it.Next()
		c.Out.Bulk(it.Member())
		it.Close()
		if g.withDistance {
			c.answerDistance(p.distance / g.shape.Unit)
		}
		if g.withHash {
			c.Out.Int(int64(p.score))
		}
		if g.withPlace {
			c.answerPlace(geohash.FromScore(p.score))
		}
	}
}

// store makes the members that were found a sorted set, whatever the destination was.
func (g *geoSearch) store(c *Call, z *sortedSet, points []geoPoint) {
	if len(points) == 0 {
		c.storeNothing(g.into)
		return
	}
	b := c.Tx.BuildZSet(&c.Keys[g.into])
	defer b.Discard()
	for i := range points {
		score := points[i].score
		if g.storeDistance {
			score = points[i].distance / g.shape.Unit
		}
		it := z.Iter(points[i].rank, false)
		it.Next()
		b.Add(it.Member(), score)
		it.Close()
	}
	m, ok := c.derive(g.into, Ask{}, z.Entry())
	if !ok {
		return
	}
	b.Store(m)
	c.Tell(g.into, Stored)
	if g.form.search {
	} else {
	}
	c.Out.Int(int64(len(points)))
}
