package engine

// Sample calls f for n different fields, or all of them where there are no more, chosen by chance, until f says stop. f
// must not change the hash.
func (h *HashValue) Sample(n int, f func(field, value []byte) bool) {
	h.catchUp()
	if n = min(n, h.Len()); n <= 0 {
		return
	}
	if h.x.e.encoding == hashed {
		fields := h.fields()
		fields.dict.sample(n, func(r ref) bool { return f(fields.dict.member(r), fields.at(r).value) })
		return
	}
	places := h.x.pairPlaces()
	shuffle(places, n)
	for _, at := range places[:n] {
		if p := h.x.pairAt(at); !f(p.field, p.value) {
			return
		}
	}
}

// Random calls f n times, each time with a field chosen by chance, whatever was chosen before, until f says stop. f must
// not change the hash, which must exist.
func (h *HashValue) Random(n int, f func(field, value []byte) bool) {
	h.catchUp()
	if h.x.e == nil {
		return
	}
	if h.x.e.encoding == hashed {
		fields := h.fields()
		for range n {
			_, r := fields.dict.table.random(h.x.sh.arena, random)
			if !f(fields.dict.member(r), fields.at(r).value) {
				return
			}
		}
		return
	}
	places := h.x.pairPlaces()
	for range n {
		p := h.x.pairAt(places[random(uint64(len(places)))])
		if !f(p.field, p.value) {
			return
		}
	}
}

// catchUp erases what is left of the fields whose deadlines have passed, lest chance choose one.
func (h *HashValue) catchUp() {
	for h.lagging && h.x.e != nil {
		h.eraseDue()
	}
}

func (x *Entry) pairPlaces() []int {
	places := make([]int, 0, maxPacked)
	for p := x.pairs(); p.next(); {
		places = append(places, p.at)
	}
	return places
}

func (x *Entry) pairAt(place int) pairs {
	p := x.pairs()
	p.end = place
	p.next()
	return p
}
