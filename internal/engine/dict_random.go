package engine

// sample calls f for n different elements, each with the same chance of being among them, until f says stop. n is at most
// d.len(). The elements must not change meanwhile.
func (d dict) sample(n int, f func(r ref) bool) {
	if n*3 < d.len() {
		d.sampleFew(n, f)
		return
	}
	refs := make([]ref, 0, d.len())
	d.each(func(r ref) bool { refs = append(refs, r); return true })
	shuffle(refs, n)
	for _, r := range refs[:n] {
		if !f(r) {
			return
		}
	}
}

// sampleFew draws again what was drawn before, which with n below a third of all happens less than every other time.
func (d dict) sampleFew(n int, f func(r ref) bool) {
	drawn := make(map[ref]struct{}, n)
	for len(drawn) < n {
		_, r := d.table.random(d.sh.arena, random)
		if _, again := drawn[r]; again {
			continue
		}
		drawn[r] = struct{}{}
		if !f(r) {
			return
		}
	}
}

// shuffle brings n elements drawn by chance to the front (Fisher and Yates, stopped early).
func shuffle[T any](s []T, n int) {
	for i := range n {
		j := i + int(random(uint64(len(s)-i)))
		s[i], s[j] = s[j], s[i]
	}
}
