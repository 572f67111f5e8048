package admission

import "slices"

// stranger is a socket that has not signed in, and its address; empty if unknown.
type stranger struct {
	*place
	address string
}

// strangers have places of their own, so that they take none from agents who have
// signed in. When all are taken, a newcomer gets the place of the stranger who has
// waited longest: an agent's client signs in within a round trip, so those who say
// nothing give way. They are in the order of arrival.
type strangers struct {
	most, perAddress int
	waiting          []stranger
}

// seat gives a newcomer a place and returns the stranger who loses theirs, nil if
// nobody does: one from the same address if that has used up its share, otherwise any.
func (r *strangers) seat(s stranger) (displaced *place) {
	switch {
	case s.address != "" && r.from(s.address) >= r.perAddress:
		displaced = r.first(s.address)
	case len(r.waiting) >= r.most:
		displaced = r.waiting[0].place
	}
	r.forget(displaced)
	r.waiting = append(r.waiting, s)
	return displaced
}

func (r *strangers) from(address string) (n int) {
	for _, s := range r.waiting {
		if s.address == address {
			n++
		}
	}
	return n
}

func (r *strangers) first(address string) *place {
	for _, s := range r.waiting {
		if s.address == address {
			return s.place
		}
	}
	return nil
}

// forget frees the place of p, if it has one.
func (r *strangers) forget(p *place) {
	at := slices.IndexFunc(r.waiting, func(w stranger) bool { return w.place == p })
	if at >= 0 {
		r.waiting = slices.Delete(r.waiting, at, at+1)
	}
}
