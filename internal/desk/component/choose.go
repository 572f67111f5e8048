package component

import (
	"slices"

	"parley/internal/channel"
)

// Choice is what of a component a channel shows.
type Choice struct {
	// Chosen is nil when the component cannot be sent at all.
	Chosen *channel.Structured
	// Rejected has the formats that come before it, in the author's order, with every
	// reason against each.
	Rejected []Rejected
}

// Rejected is a format that a component cannot be shown in.
type Rejected struct {
	Format  channel.Format
	Misfits []channel.Misfit
}

// Choose picks the first of a component's formats that channels of the type show and
// that its content fits. The formats come filled in, each once, in the author's order;
// text is tried last wherever it stands. The header is the carrier's, which decides how
// many SMS segments a text makes. When the reply window is closed only a registered
// template fits. Choose is pure: the same arguments give the same choice, before a send and
// at it.
func Choose(on *channel.Capabilities, header channel.Header, closed bool, kind channel.ComponentKind, filled []channel.Structured) Choice {
	var c Choice
	for _, s := range textLast(filled) {
		misfits := against(on, header, kind, s)
		if closed && s.Format != channel.RegisteredTemplate {
			misfits = append(misfits, channel.Misfit{Reason: channel.WindowClosed})
		}
		if len(misfits) == 0 {
			c.Chosen = &s
			return c
		}
		c.Rejected = append(c.Rejected, Rejected{s.Format, misfits})
	}
	return c
}

func textLast(filled []channel.Structured) []channel.Structured {
	order := slices.Clone(filled)
	slices.SortStableFunc(order, func(a, b channel.Structured) int { return rank(a) - rank(b) })
	return order
}

func rank(s channel.Structured) int {
	if s.Format == channel.PlainText {
		return 1
	}
	return 0
}

// against are the reasons against a format.
func against(on *channel.Capabilities, header channel.Header, kind channel.ComponentKind, s channel.Structured) []channel.Misfit {
	rule := on.FormatRule(s.Format)
	switch {
	case rule == nil:
		return []channel.Misfit{{Reason: channel.NotOnChannel}}
	case !slices.Contains(rule.Kinds, kind):
		return []channel.Misfit{{Reason: channel.NotOfKind}}
	}
	misfits := rule.Misfits(s)
	if s.Format == channel.PlainText && len(misfits) == 0 && !on.Text.Allows(s.Plain, header) {
		return []channel.Misfit{{Reason: channel.TextTooLong, Limit: on.Text.Segments, Found: channel.Segment(s.Plain, header).Segments}}
	}
	return misfits
}
