package command

import (
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/geohash"
	"github.com/lethe-cache/lethe/internal/resp"
)

// A geospatial index is a sorted set whose scores are places (package geohash), so all commands of sorted sets work on it.

func geoCommands() []*Spec {
	return []*Spec{
		{Name: "GEOADD", Arity: -5, Flags: Write | DenyOOM, Categories: CatGeo, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "geo", Since: "3.2.0", Complexity: "O(M*log(N)) with M members given and N in the set", Summary: "Adds members with places to a sorted set, or moves them; the deadline stays.",
			Syntax: "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]", Effect: EffectPart, Action: ActionWrite, Run: runGeoAdd},
		{Name: "GEODIST", Arity: -4, Flags: ReadOnly, Categories: CatGeo, Keys: oneKey(KeyRO | KeyAccess),
			Group: "geo", Since: "3.2.0", Complexity: "O(log(N)) with N members", Summary: "Returns the distance between two members.",
			Syntax: "key member1 member2 [M | KM | FT | MI]", Action: ActionRead, Run: runGeoDist},
		{Name: "GEOHASH", Arity: -2, Flags: ReadOnly, Categories: CatGeo, Keys: oneKey(KeyRO | KeyAccess),
			Group: "geo", Since: "3.2.0", Complexity: "O(M*log(N)) with M members given and N in the set", Summary: "Returns the places of members as geohash texts.",
			Syntax: "key [member [member ...]]", Action: ActionRead, Run: runGeoHash},
		{Name: "GEOPOS", Arity: -2, Flags: ReadOnly, Categories: CatGeo, Keys: oneKey(KeyRO | KeyAccess),
			Group: "geo", Since: "3.2.0", Complexity: "O(M*log(N)) with M members given and N in the set", Summary: "Returns the longitudes and latitudes of members.",
			Syntax: "key [member [member ...]]", Action: ActionRead, Run: runGeoPos},
	}
}

// Redis repeats the coordinates in the first of these. Where somebody lives is nothing for an error.
const (
	msgGeoPlace  = "ERR invalid longitude,latitude pair"
	msgGeoUnit   = "ERR unsupported unit provided. please use M, KM, FT, MI"
	msgGeoMember = "ERR could not decode requested zset member"
)

// place reads a longitude and a latitude, or answers Redis's error.
func (c *Call) place(at int) (p geohash.Place, ok bool) {
	if p.Longitude, ok = c.floatArg(at, resp.MsgNotFloat); !ok {
		return p, false
	}
	if p.Latitude, ok = c.floatArg(at+1, resp.MsgNotFloat); !ok {
		return p, false
	}
	if !p.Valid() {
		c.Error(msgGeoPlace)
		return p, false
	}
	return p, true
}

// floatArg reads a number, or answers problem.
func (c *Call) floatArg(at int, problem string) (float64, bool) {
	f, ok := parseScore(c.Args[at])
	if !ok {
		c.Error(problem)
	}
	return f, ok
}

// unit reads a unit of length, or answers Redis's error. It returns how many metres it has.
func (c *Call) unit(at int) (metres float64, ok bool) {
	switch a := c.Args[at]; {
	case word(a, "M"):
		return 1, true
	case word(a, "KM"):
		return 1000, true
	case word(a, "FT"):
		return 0.3048, true
	case word(a, "MI"):
		return 1609.34, true
	}
	c.Error(msgGeoUnit)
	return 0, false
}

func runGeoAdd(c *Call) {
	o, first := zaddOptions{}, 2
	for ; first < len(c.Args); first++ {
		if !o.readGeo(c.Args[first]) {
			break
		}
	}
	members := len(c.Args) - first
	if members%3 != 0 || o.nx && o.xx {
		c.Error(resp.MsgSyntax)
		return
	}
	for i := first; i < len(c.Args); i += 3 { // nothing is changed unless all places are good
		if _, ok := c.place(i); !ok {
			return
		}
	}
	if members == 0 {
		c.Error(resp.MsgSyntax)
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	if !z.Exists() && !o.xx {
		m, ok := c.Expiry.Whole(c, 0, Ask{}, engine.Entry{})
		if !ok {
			return
		}
		z.Create(m)
	}
	c.addPlaces(&z, o, first)
}

// readGeo takes an option of GEOADD; false when the argument is none.
func (o *zaddOptions) readGeo(a []byte) bool {
	switch {
	case word(a, "NX"):
		o.nx = true
	case word(a, "XX"):
		o.xx = true
	case word(a, "CH"):
		o.ch = true
	default:
		return false
	}
	return true
}

// addPlaces gives members the places that the arguments from first on name.
func (c *Call) addPlaces(z *sortedSet, o zaddOptions, first int) {
	total, changes := int64(0), int64(0)
	for i := first; i < len(c.Args) && z.Exists(); i += 3 {
		p, _ := c.place(i)
		score, member := geohash.Score(p), c.Args[i+2]
		if o.conditional() {
			if old, had := z.Score(member); !o.allow(had, old, score) {
				continue
			}
		}
		added, changed := z.Add(member, score)
		total += one(added)
		changes += one(changed)
	}
	c.storedIf(changes > 0)
	if o.ch {
		total = changes
	}
	c.Out.Int(total)
}

func runGeoDist(c *Call) {
	metres, ok := 1.0, true
	switch {
	case len(c.Args) == 5:
		if metres, ok = c.unit(4); !ok {
			return
		}
	case len(c.Args) > 5:
		c.Error(resp.MsgSyntax)
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	from, hasFrom := z.Score(c.Args[2])
	to, hasTo := z.Score(c.Args[3])
	if !hasFrom || !hasTo {
		c.Out.Null()
		return
	}
	c.answerDistance(geohash.Distance(geohash.FromScore(from), geohash.FromScore(to)) / metres)
}

// answerDistance answers a length with four decimals.
func (c *Call) answerDistance(d float64) {
	var text [32]byte
	c.Out.Bulk(appendFixed4(text[:0], d))
}

// appendFixed4 appends a length with four decimals, rounded as Redis does: to the even one where two are as near. What does
// not fit is the least integer, as x86 converts it.
func appendFixed4(dst []byte, d float64) []byte {
	n := int64(math.MinInt64)
	if scaled := math.RoundToEven(d * 1e4); math.Abs(scaled) < 1<<63 {
		n = int64(scaled)
	}
	value := uint64(n)
	if n < 0 {
		dst, value = append(dst, '-'), -value
	}
	dst = append(strconv.AppendUint(dst, value/1e4, 10), '.')
	decimals := strconv.AppendUint(nil, value%1e4+1e4, 10)
	return append(dst, decimals[1:]...)
}

func runGeoHash(c *Call) {
	c.eachPlace(func(score float64) {
		text := geohash.Text(score)
		c.Out.Bulk(text[:])
	}, c.Out.Null)
}

func runGeoPos(c *Call) {
	c.eachPlace(func(score float64) { c.answerPlace(geohash.FromScore(score)) }, c.Out.NullArray)
}

// eachPlace answers something for each member that is named: found for the score of one that is there, missing for others.
func (c *Call) eachPlace(found func(score float64), missing func()) {
	z, ok := c.zset(0)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if score, ok := z.Score(member); ok {
			found(score)
		} else {
			missing()
		}
	}
}

// answerPlace answers a longitude and a latitude.
func (c *Call) answerPlace(p geohash.Place) {
	c.Out.Array(2)
	c.answerCoordinate(p.Longitude)
	c.answerCoordinate(p.Latitude)
}

// answerCoordinate answers a number with the seventeen decimals that Redis computes, zeros at the end cut.
func (c *Call) answerCoordinate(f float64) {
	var room [32]byte
	text := strconv.AppendFloat(append(room[:0], ','), f, 'f', 17, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	if string(text) == ",-0" {
		text = append(text[:1], '0')
	}
	if c.Out.RESP3() {
		c.Out.Raw(append(text, '\r', '\n'))
	} else {
		c.Out.Bulk(text[1:])
	}
}
