package command

import (
	"github.com/lethe-cache/lethe/internal/geohash"
	"github.com/lethe-cache/lethe/internal/resp"
)

// geoSearch is what GEOSEARCH and its older forms are asked for.
type geoSearch struct {
	form geoForm

	source, into int // numbers of keys; into is -1 where nothing is stored
	shape        geohash.Shape
	centered     geoCenter
	shaped       bool

	withDistance, withHash, withPlace bool

	storeAt       int // the argument that names the destination; 0: none
	storeDistance bool
	order         geoOrder
	count         int64 // 0: all
	any           bool
}

// geoForm is what the command's name says of its arguments.
type geoForm struct {
	fromMember bool // GEORADIUSBYMEMBER
	search     bool // GEOSEARCH
	store      bool // GEOSEARCHSTORE, and those that have STORE
}

type geoOrder uint8

const (
	anyOrder geoOrder = iota
	nearestFirst
	farthestFirst
)

// geoCenter is how the center was named.
type geoCenter uint8

const (
	notCentered geoCenter = iota
	atMember
	atPlace
)

const (
	msgGeoRadius         = "ERR need numeric radius"
	msgGeoRadiusNegative = "ERR radius cannot be negative"
	msgGeoWidth          = "ERR need numeric width"
	msgGeoHeight         = "ERR need numeric height"
	msgGeoBoxNegative    = "ERR height or width cannot be negative"
	msgGeoCount          = "ERR COUNT must be > 0"
	msgGeoAny            = "ERR the ANY argument requires COUNT argument"
	msgGeoStoreRadius    = "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
	msgGeoStoreSearch    = "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
)

// read takes the arguments from a place on, or answers Redis's error. z is the index, which may be absent.
func (g *geoSearch) read(c *Call, z *sortedSet, at int) bool {
	for at < len(c.Args) {
		n, ok := g.option(c, z, at)
		if !ok {
			return false
		}
		if n == 0 {
			c.Error(resp.MsgSyntax)
			return false
		}
		at += n
	}
	// The last of several destinations counts: it is the one that was checked.
	if g.storeAt > 0 {
		if g.into = c.keyAt(g.storeAt); g.into < 0 {
			c.Error(resp.MsgSyntax)
			return false
		}
	}
	switch stores := g.into >= 0; {
	case stores && (g.withDistance || g.withHash || g.withPlace) && g.form.search:
		c.Error(msgGeoStoreSearch)
	case stores && (g.withDistance || g.withHash || g.withPlace):
		c.Error(msgGeoStoreRadius)
	case g.form.search && g.centered == notCentered:
		c.Error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + string(c.Args[0]))
	case g.form.search && !g.shaped:
		c.Error("ERR exactly one of BYRADIUS and BYBOX can be specified for " + string(c.Args[0]))
	case g.any && g.count == 0:
		c.Error(msgGeoAny)
	default:
		return true
	}
	return false
}

// option takes one option and returns how many arguments it has, 0 when there is none; false means that an error is
// answered.
func (g *geoSearch) option(c *Call, z *sortedSet, at int) (n int, ok bool) {
	left := len(c.Args) - at - 1
	switch a := c.Args[at]; {
	case word(a, "WITHDIST"):
		g.withDistance = true
	case word(a, "WITHHASH"):
		g.withHash = true
	case word(a, "WITHCOORD"):
		g.withPlace = true
	case word(a, "ANY"):
		g.any = true
	case word(a, "ASC"):
		g.order = nearestFirst
	case word(a, "DESC"):
		g.order = farthestFirst
	case word(a, "COUNT") && left >= 1:
		return 2, g.readCount(c, at+1)
	case g.form.search:
		return g.searchOption(c, z, at, left)
	case g.form.store && left >= 1 && (word(a, "STORE") || word(a, "STOREDIST")):
		g.storeDistance, g.storeAt = word(a, "STOREDIST"), at+1
		return 2, true
	default:
		return 0, true
	}
	return 1, true
}

// searchOption takes an option that only GEOSEARCH and GEOSEARCHSTORE have.
func (g *geoSearch) searchOption(c *Call, z *sortedSet, at, left int) (n int, ok bool) {
	switch a := c.Args[at]; {
	case word(a, "STOREDIST") && g.form.store:
		g.storeDistance = true
		return 1, true
	case word(a, "FROMMEMBER") && left >= 1 && g.centered != atPlace:
		g.centered = atMember
		return 2, !z.Exists() || g.centerAt(c, z, at+1)
	case word(a, "FROMLONLAT") && left >= 2 && g.centered != atMember:
		g.centered = atPlace
		g.shape.Center, ok = c.place(at + 1)
		return 3, ok
	case word(a, "BYRADIUS") && left >= 2 && !(g.shaped && g.shape.Box):
		return 3, g.readRadius(c, at+1)
	case word(a, "BYBOX") && left >= 3 && !(g.shaped && !g.shape.Box):
		return 4, g.readBox(c, at+1)
	}
	return 0, true
}

func (g *geoSearch) readCount(c *Call, at int) (ok bool) {
	if g.count, ok = c.intArg(at); ok && g.count <= 0 {
		c.Error(msgGeoCount)
		return false
	}
	return ok
}

// keyAt returns the number of the key that an argument is, -1 when it is none.
func (c *Call) keyAt(arg int) int {
	for i := range c.Refs {
		if c.Refs[i].Arg == arg {
			return i
		}
	}
	return -1
}

// centerAt makes a member's place the center.
func (g *geoSearch) centerAt(c *Call, z *sortedSet, at int) bool {
	score, ok := z.Score(c.Args[at])
	if !ok {
		c.Error(msgGeoMember)
		return false
	}
	g.shape.Center = geohash.FromScore(score)
	return true
}

// readRadius takes a radius and its unit.
func (g *geoSearch) readRadius(c *Call, at int) (ok bool) {
	if g.shape.Radius, ok = c.floatArg(at, msgGeoRadius); !ok {
		return false
	}
	if g.shape.Radius < 0 {
		c.Error(msgGeoRadiusNegative)
		return false
	}
	g.shaped = true
	g.shape.Unit, ok = c.unit(at + 1)
	return ok
}

// readBox takes a width, a height and their unit.
func (g *geoSearch) readBox(c *Call, at int) (ok bool) {
	if g.shape.Width, ok = c.floatArg(at, msgGeoWidth); !ok {
		return false
	}
	if g.shape.Height, ok = c.floatArg(at+1, msgGeoHeight); !ok {
		return false
	}
	if g.shape.Width < 0 || g.shape.Height < 0 {
		c.Error(msgGeoBoxNegative)
		return false
	}
	g.shaped, g.shape.Box = true, true
	g.shape.Unit, ok = c.unit(at + 2)
	return ok
}
