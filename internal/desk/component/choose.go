// Package component has what a component is, what fills it in, and the format that a
// channel shows it in.
package component

import (
	"slices"

	"parley/internal/channel"
)

// Filled is a component whose texts and options stand: what there is to show, and how
// its author would have it shown.
type Filled struct {
	Kind channel.ComponentKind
	// Formats are the author's, best first. Text is always the last, named or not.
	Formats []channel.Format
	// Content has no format yet.
	Content channel.Structured
}

// Choice is the format that a component is shown in.
type Choice struct {
	// Format is empty when the component cannot be sent at all.
	Format channel.Format
	// Rejected has the formats that come before it, in the author's order, with every
	// reason against each.
	Rejected []Rejected
}

// Rejected is a format that a component cannot be shown in.
type Rejected struct {
	Format  channel.Format
	Misfits []channel.Misfit
}

// Choose picks the first of the author's formats that channels of the type show and that
// the content fits; text where none does. The header is the carrier's, which decides how
// many SMS segments a text makes. Choose is pure: the same arguments give the same
// choice, before a send and at it.
func Choose(on *channel.Capabilities, header channel.Header, f Filled) Choice {
	var c Choice
	for _, format := range inOrder(f.Formats) {
		misfits := against(on, header, format, f)
		if len(misfits) == 0 {
			c.Format = format
			return c
		}
		c.Rejected = append(c.Rejected, Rejected{format, misfits})
	}
	return c
}

// In is the content in the format chosen.
func (c Choice) In(content channel.Structured) channel.Structured {
	content.Format = c.Format
	return content
}

// inOrder are the author's formats without repetition, and text behind them.
func inOrder(formats []channel.Format) []channel.Format {
	var order []channel.Format
	for _, f := range formats {
		if f != channel.PlainText && !slices.Contains(order, f) {
			order = append(order, f)
		}
	}
	return append(order, channel.PlainText)
}

// against are the reasons against a format.
func against(on *channel.Capabilities, header channel.Header, format channel.Format, f Filled) []channel.Misfit {
	rule := on.FormatRule(format)
	switch {
	case rule == nil:
		return []channel.Misfit{{Reason: channel.NotOnChannel}}
	case !slices.Contains(rule.Kinds, f.Kind):
		return []channel.Misfit{{Reason: channel.NotOfKind}}
	}
	misfits := rule.Misfits(f.Content)
	if format == channel.PlainText && len(misfits) == 0 && !on.Text.Allows(f.Content.Plain, header) {
		segments := channel.Segment(f.Content.Plain, header).Segments
		return []channel.Misfit{{Reason: channel.TextTooLong, Limit: on.Text.Segments, Found: segments}}
	}
	return misfits
}
