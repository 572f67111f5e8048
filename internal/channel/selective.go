package channel

// Selective is a Provider that carries only some types of channel.
type Selective interface {
	// Carries reports whether the provider carries channels of type t.
	Carries(t Type) bool
}

// Carries reports whether p carries channels of type t: one that does not say carries
// every type that is known.
func Carries(p Provider, t Type) bool {
	if s, selective := p.(Selective); selective {
		return s.Carries(t)
	}
	return t.Known() != OtherType
}
