package channel

import "slices"

// OtherComponent is a kind that only a newer version knows.
const OtherComponent ComponentKind = "OTHER"

// Known is the kind, OtherComponent for one that only a newer version knows.
func (k ComponentKind) Known() ComponentKind {
	if slices.Contains(allKinds, k) {
		return k
	}
	return OtherComponent
}

// Asks reports whether customers choose from options.
func (k ComponentKind) Asks() bool { return slices.Contains(choiceKinds, k) }
