package channel

import "unicode/utf8"

// Limit is how long an outbound text may be. Whichever bound is reached first
// counts; zero means that there is none of that kind.
type Limit struct {
	Characters int // Unicode code points
	Segments   int // SMS segments
}

// The limits of outbound text (DOMAIN 4). Web and in-app state none; theirs is
// ours, so that nothing is unbounded. Facebook standard has the platform's own.
var (
	smsLimit              = Limit{Characters: 840, Segments: 6}
	whatsAppLimit         = Limit{Characters: 1600}
	whatsAppEnhancedLimit = Limit{Characters: 4096}
	facebookLimit         = Limit{Characters: 2000}
	webLimit              = Limit{Characters: 4096}
)

// TextLimit returns the limit of an outbound text on channels of type t.
func TextLimit(t Type) Limit { return CapabilitiesOf(t).Text }

// Allows reports whether text is within the limit, sent with the carrier's
// header.
func (l Limit) Allows(text string, header Header) bool {
	if l.Characters > 0 && utf8.RuneCountInString(text) > l.Characters {
		return false
	}
	return l.Segments == 0 || Segment(text, header).Segments <= l.Segments
}

// MostSegments is Segments, nil where there is no such bound.
func (l *Limit) MostSegments() *int { return stated(l.Segments) }
