package admission

import "slices"

// stranger is a socket whose connection_init was not acknowledged, and where it
// comes from; an empty address is not known.
type stranger struct {
	*place
	address string
}

// strangers are in the order in which they came. They have places of their own, so
// that they take none of those who have signed in. Who comes when all are taken is
// given that of the stranger who has waited longest: an agent's client signs in
// within a round trip, and who says nothing gives way.
type strangers struct {
	most, perAddress int
	waiting          []stranger
}

// seat gives a newcomer a place and returns who has lost theirs by it: somebody
// from the same address where that has its share, else anybody.
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

// forget frees the place of a socket that has one.
func (r *strangers) forget(p *place) {
	at := slices.IndexFunc(r.waiting, func(w stranger) bool { return w.place == p })
	if at >= 0 {
		r.waiting = slices.Delete(r.waiting, at, at+1)
	}
}
