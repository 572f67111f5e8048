package channel

import "unicode/utf16"

// Encoding is how a text travels over SMS (3GPP TS 23.038).
type Encoding string

// The encodings: seven bits a unit while every character is in the GSM default
// alphabet or its extension table, else sixteen bits a unit for the whole text.
const (
	GSM7 Encoding = "GSM_7"
	UCS2 Encoding = "UCS_2"
)

// Header is the size in bytes of the user data header that a carrier puts in
// front of each segment of a text that needs several (3GPP TS 23.040, 9.2.3.24).
type Header int

// The headers in use. A carrier that says nothing is assumed to use the larger,
// so that a draft never turns out longer than was shown.
const (
	Header6       Header = 6 // 8-bit reference number: 153 or 67 units a segment (Twilio)
	Header7       Header = 7 // 16-bit reference number: 152 or 66 units a segment
	DefaultHeader        = Header7
)

// payload is what one SMS carries, in bytes (3GPP TS 23.040).
const payload = 140

// Segmenter is a Provider whose carrier cuts long texts with a header of its own.
type Segmenter interface {
	// Header is the size of that header.
	Header() Header
}

// HeaderOf returns the header of a provider's carrier: DefaultHeader when the provider
// is unknown or does not say (DOMAIN: text limits).
func HeaderOf(p Provider) Header {
	if s, ok := p.(Segmenter); ok {
		return s.Header()
	}
	return DefaultHeader
}

// size returns the units of one segment, of a text that has one or several.
func (h Header) size(e Encoding, several bool) int {
	bytes := payload
	if several {
		bytes -= min(max(int(h), 0), payload/2)
	}
	if e == GSM7 {
		return bytes * 8 / 7
	}
	return bytes / 2
}

// Segments is how a draft would travel over SMS.
type Segments struct {
	Encoding Encoding
	// Characters counts Unicode code points, Units septets or UTF-16 units: an
	// extension character such as € or { is two septets, an emoji two or more
	// UTF-16 units.
	Characters, Units int
	// Segments is what the carrier sends and charges; zero for an empty draft.
	Segments int
	// Limit is the size of each segment in units; Remaining is what is left of
	// it in the last one.
	Limit, Remaining int
}

// Segment counts the segments of a draft. A character is never split: one that
// does not fit whole begins the next segment, which can make more segments than
// dividing units by size would. Invalid UTF-8 counts as U+FFFD, as it would be
// sent.
func Segment(text string, header Header) Segments {
	encoding, chars, units := measure(text)
	s := Segments{Encoding: encoding, Characters: chars, Units: units, Limit: header.size(encoding, false)}
	if units > s.Limit {
		s.Limit = header.size(encoding, true)
	}
	s.Segments, s.Remaining = pack(text, encoding, s.Limit)
	return s
}

// measure finds the encoding of text and its length.
func measure(text string) (e Encoding, chars, units int) {
	e = GSM7
	var septets, wide int
	for _, r := range text {
		chars++
		wide += ucs2Width(r)
		septets += gsm7Width(r)
		if gsm7Width(r) == 0 {
			e = UCS2
		}
	}
	if e == UCS2 {
		return e, chars, wide
	}
	return e, chars, septets
}

// pack fills segments of the given size and returns how many there are and
// what is left in the last.
func pack(text string, e Encoding, size int) (segments, left int) {
	left = size
	if text != "" {
		segments = 1
	}
	for _, r := range text {
		w := width(r, e)
		if w > left {
			segments, left = segments+1, size
		}
		left -= w
	}
	return segments, left
}

func width(r rune, e Encoding) int {
	if e == GSM7 {
		return gsm7Width(r)
	}
	return ucs2Width(r)
}

func ucs2Width(r rune) int { return max(utf16.RuneLen(r), 1) }

// gsm7Width returns the septets of r, zero when it is not in the alphabet.
func gsm7Width(r rune) int { return gsm7[r] }

// The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1
// and 6.2.1.1). ESC itself is no character.
const (
	gsm7Basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7Extension = "\f^{}\\[~]|€"
)

var gsm7 = func() map[rune]int {
	widths := make(map[rune]int, 140)
	for _, r := range gsm7Basic {
		widths[r] = 1
	}
	for _, r := range gsm7Extension {
		widths[r] = 2
	}
	return widths
}()
