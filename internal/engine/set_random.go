package engine

// Sample calls f for n different members, or all of them where there are no more, chosen by chance, until f says stop. f
// must not change the set.
func (s *SetValue) Sample(n int, f func(member []byte) bool) {
	if n = min(n, s.Len()); n <= 0 {
		return
	}
	if s.x.e.encoding == hashed {
		d := s.members()
		d.sample(n, func(r ref) bool { return f(d.member(r)) })
		return
	}
	text := newDigits(s.x.sh.arena)
	defer text.free()
	places := s.places()
	shuffle(places, n)
	for _, place := range places[:n] {
		if !f(s.memberAt(place, text)) {
			return
		}
	}
}

// Random calls f n times, each time with a member chosen by chance, whatever was chosen before, until f says stop. f must
// not change the set.
func (s *SetValue) Random(n int, f func(member []byte) bool) {
	if s.x.e == nil {
		return
	}
	if s.x.e.encoding == hashed {
		d := s.members()
		for range n {
			if _, r := d.table.random(s.x.sh.arena, random); !f(d.member(r)) {
				return
			}
		}
		return
	}
	text := newDigits(s.x.sh.arena)
	defer text.free()
	places := s.places()
	for range n {
		if !f(s.memberAt(places[random(uint64(len(places)))], text)) {
			return
		}
	}
}

// Pop calls f for n different members chosen by chance, or all of them where there are no more, and erases each. A set
// that loses its last member is erased and absent. f must not change the set.
func (s *SetValue) Pop(n int, f func(member []byte)) {
	if s.x.e == nil {
		return
	}
	s.x.sh.chargeKey(s.key)
	if n >= s.Len() {
		s.Each(func(member []byte) bool { f(member); return true })
		s.Erase()
		return
	}
	if s.x.e.encoding == hashed {
		d := s.members()
		for range n {
			tag, r := d.table.random(s.x.sh.arena, random)
			f(d.member(r))
			d.remove(tag, r, d.end(r))
		}
		return
	}
	text := newDigits(s.x.sh.arena)
	defer text.free()
	for range n {
		places := s.places()
		place := places[random(uint64(len(places)))]
		f(s.memberAt(place, text))
		if s.x.e.encoding == integers {
			s.x.removeInteger(place)
		} else {
			s.cutPacked(place)
		}
	}
}

// places lists where the members of a small set are: their numbers, or their places in the value part.
func (s *SetValue) places() []int {
	places := make([]int, 0, s.Len())
	if s.x.e.encoding == integers {
		for i := range s.Len() {
			places = append(places, i)
		}
		return places
	}
	run := s.x.e.value()
	for at := 1; at < len(run); _, at = unpack(run, at) {
		places = append(places, at)
	}
	return places
}

func (s *SetValue) memberAt(place int, text digits) []byte {
	if s.x.e.encoding == integers {
		return text.of(s.x.integers().at(place))
	}
	member, _ := unpack(s.x.e.value(), place)
	return member
}
