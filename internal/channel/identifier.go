package channel

import (
	"regexp"
	"slices"
)

// IdentifierKind is what kind of name carriers know a customer by.
type IdentifierKind string

// The kinds of identifiers.
const (
	PhoneNumber      IdentifierKind = "PHONE_NUMBER"
	SenderName       IdentifierKind = "SENDER_NAME"        // a short code or name, which cannot be answered
	BusinessScopedID IdentifierKind = "BUSINESS_SCOPED_ID" // of a person on WhatsApp, for one business
	PageScopedID     IdentifierKind = "PAGE_SCOPED_ID"     // of a person on Messenger, for one page
	KeySetSubject    IdentifierKind = "KEY_SET_SUBJECT"    // the key set that signed a web or in-app user's token, and its sub
	PlatformID       IdentifierKind = "PLATFORM_ID"        // any other id of a platform's own
	// OtherIdentifier is a kind that only a newer version knows.
	OtherIdentifier IdentifierKind = "OTHER"
)

// shape is what identifiers of a kind look like on some types of channel.
type shape struct {
	kind  IdentifierKind
	types []Type
	looks *regexp.Regexp
}

// shapes are of all kinds but phone numbers, which package number reads. On a channel no
// two of them look alike.
var shapes = []shape{
	// Two letters of a country, a point, and up to 128 letters and digits (Meta, "Business-scoped user IDs").
	{BusinessScopedID, []Type{WhatsApp, WhatsAppEnhanced}, regexp.MustCompile(`^[A-Z]{2}\.[A-Za-z0-9]{1,128}$`)},
	{PageScopedID, []Type{Facebook, FacebookEnhanced}, regexp.MustCompile(`^[0-9]{1,32}$`)},
	// A sub has no bound of its own (RFC 7519); ours keeps the whole within 200 characters.
	{KeySetSubject, []Type{Web, InApp}, regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}/[!-~]{1,135}$`)},
	{PlatformID, []Type{Facebook, FacebookEnhanced, Web, InApp}, regexp.MustCompile(`^[^\s]{1,200}$`)},
}

// KindOf is the kind of an identifier on a channel of type t that is no phone number;
// empty for what looks like none.
func KindOf(identifier string, t Type) IdentifierKind {
	for _, s := range shapes {
		if slices.Contains(s.types, t) && s.looks.MatchString(identifier) {
			return s.kind
		}
	}
	return ""
}

// Known is the kind, OtherIdentifier when it is not known.
func (k IdentifierKind) Known() IdentifierKind {
	switch k {
	case PhoneNumber, SenderName, BusinessScopedID, PageScopedID, KeySetSubject, PlatformID:
		return k
	}
	return OtherIdentifier
}
