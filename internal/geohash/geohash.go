// Package geohash turns places on Earth into the numbers that Redis keeps them as, and finds what is near: the arithmetic
// of the GEO commands, to the last bit, since clients see these numbers.
//
// A place is a score of 52 bits: longitude and latitude, each halved 26 times, their bits interleaved with longitude
// above. Places that share high bits are near each other, so an area is a few ranges of scores (cover.go).
//
// It is for the handlers of the GEO commands. It is pure: no keys, no replies, no state. Where a product is added to
// something it is converted first, so that every machine rounds as Redis's x86 builds do.
package geohash

// The places that can be encoded: EPSG:900913 ends before the poles.
const (
	MaxLongitude = 180
	MaxLatitude  = 85.05112878
)

// Place is a point on Earth, in degrees.
type Place struct{ Longitude, Latitude float64 }

// Valid reports whether the place can be encoded.
func (p Place) Valid() bool {
	return p.Longitude >= -MaxLongitude && p.Longitude <= MaxLongitude &&
		p.Latitude >= -MaxLatitude && p.Latitude <= MaxLatitude
}

// scoreSteps is how often each coordinate of a score is halved.
const scoreSteps = 26

// Score encodes a place, which must be valid.
func Score(p Place) float64 { return float64(encode(p, MaxLatitude, scoreSteps).bits) }

// FromScore decodes a score to the middle of its cell. Any number decodes to some valid place.
func FromScore(score float64) Place {
	return cell{scoreBits(score), scoreSteps}.area().middle()
}

// scoreBits is the conversion that C compilers make for x86, whatever the machine: scores may be anything that ZADD took.
func scoreBits(f float64) uint64 {
	const half = 1 << 63
	switch {
	case f >= 2*half:
		return 0
	case f >= half:
		return uint64(int64(f-half)) ^ half
	case f < -half:
		return half
	default:
		return uint64(int64(f))
	}
}

// alphabet is base 32 as geohash.org has it.
const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"

// TextBytes is the length of a place's text.
const TextBytes = 11

// Text returns the place of a score as geohash.org writes it. That has latitudes up to 90 degrees, so the place is encoded
// anew; 52 bits make ten letters, and the eleventh is always 0.
func Text(score float64) (text [TextBytes]byte) {
	bits := encode(FromScore(score), 90, scoreSteps).bits
	for i := range text {
		text[i] = alphabet[bits>>47&31]
		bits <<= 5
	}
	text[TextBytes-1] = alphabet[0]
	return text
}

// cell is what is left of the world after halving each coordinate so many times.
type cell struct {
	bits  uint64 // two for each step: longitude in the odd places, latitude in the even ones
	steps int
}

// encode returns the cell of a place, in a world that reaches to so many degrees north and south.
func encode(p Place, maxLatitude float64, steps int) cell {
	size := float64(uint64(1) << steps)
	latitude := (p.Latitude + maxLatitude) / (maxLatitude + maxLatitude) * size
	longitude := (p.Longitude + MaxLongitude) / (MaxLongitude + MaxLongitude) * size
	return cell{spread(uint32(latitude)) | spread(uint32(longitude))<<1, steps}
}

// area is a rectangle of coordinates.
type area struct{ low, high Place }

func (c cell) area() area {
	latitude, longitude := gather(c.bits), gather(c.bits>>1)
	return area{c.corner(longitude, latitude), c.corner(longitude+1, latitude+1)}
}

// corner is the south-western corner of the cell with these coordinates.
func (c cell) corner(longitude, latitude uint32) Place {
	size := float64(uint64(1) << c.steps)
	return Place{
		Longitude: -MaxLongitude + float64(float64(longitude)/size*(2*MaxLongitude)),
		Latitude:  -MaxLatitude + float64(float64(latitude)/size*(2*MaxLatitude)),
	}
}

func (a area) middle() Place {
	return Place{
		Longitude: min(max((a.low.Longitude+a.high.Longitude)/2, -MaxLongitude), MaxLongitude),
		Latitude:  min(max((a.low.Latitude+a.high.Latitude)/2, -MaxLatitude), MaxLatitude),
	}
}

const (
	evenBits = 0x5555_5555_5555_5555
	oddBits  = evenBits << 1
)

// spread moves 32 bits to the even places.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000_ffff_0000_ffff
	x = (x | x<<8) & 0x00ff_00ff_00ff_00ff
	x = (x | x<<4) & 0x0f0f_0f0f_0f0f_0f0f
	x = (x | x<<2) & 0x3333_3333_3333_3333
	return (x | x<<1) & evenBits
}

// gather is the opposite of spread.
func gather(x uint64) uint32 {
	x &= evenBits
	x = (x | x>>1) & 0x3333_3333_3333_3333
	x = (x | x>>2) & 0x0f0f_0f0f_0f0f_0f0f
	x = (x | x>>4) & 0x00ff_00ff_00ff_00ff
	x = (x | x>>8) & 0x0000_ffff_0000_ffff
	return uint32(x | x>>16)
}

// beside is the cell so many columns east and rows north, each -1, 0 or 1; the world is round in both directions.
func (c cell) beside(east, north int) cell {
	return cell{move(c.bits, oddBits, c.steps, east) | move(c.bits, evenBits, c.steps, north), c.steps}
}

// move returns the coordinate whose bits are in the places of a mask, changed by -1, 0 or 1. The carry runs over the other
// coordinate's places, which are filled with ones for it.
func move(bits, places uint64, steps, by int) uint64 {
	if by == 0 {
		return bits & places
	}
	used := ^uint64(0) >> (64 - 2*steps)
	mine, others := places&used, ^places&used
	bits &= places
	if by > 0 {
		return ((bits | others) + 1) & mine
	}
	return (bits - mine&-mine) & mine
}
