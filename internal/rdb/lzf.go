package rdb

// LZF is a sequence of literal runs and of copies of what was unpacked before. A first byte below 32 begins a run of that
// many bytes and one. Any other holds three bits of a length and five of a distance; length 7 goes on in the next byte, and
// the distance's lower eight bits follow. A copy is two bytes longer than its length says, and may overlap itself.

// lzfMostFold bounds how many times longer a string may become: three bytes give at most 7 + 255 + 2.
const lzfMostFold = (7 + 255 + 2) / 3

// lzfUnpack fills dst with what packed unpacks to; false when that is not exactly as long, or when packed is no LZF.
func lzfUnpack(dst, packed []byte) bool {
	at := 0
	for i := 0; i < len(packed); {
		head := int(packed[i])
		i++
		if head < 32 {
			n := head + 1
			if n > len(packed)-i || n > len(dst)-at {
				return false
			}
			at += copy(dst[at:], packed[i:i+n])
			i += n
			continue
		}
		n := head >> 5
		if n == 7 {
			if i == len(packed) {
				return false
			}
			n += int(packed[i])
			i++
		}
		if i == len(packed) {
			return false
		}
		from := at - (head&31<<8 | int(packed[i])) - 1
		i++
		if n += 2; from < 0 || n > len(dst)-at {
			return false
		}
		for ; n > 0; n-- { // byte by byte: the copy may overlap what it writes
			dst[at] = dst[from]
			at, from = at+1, from+1
		}
	}
	return at == len(dst)
}
