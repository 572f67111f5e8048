package message

import (
	"fmt"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/number"
)

// RefusalCode is why a message cannot be sent.
type RefusalCode string

// The reasons (DOMAIN: Why a send is refused).
const (
	NoLicence         RefusalCode = "NO_LICENCE"
	MissingPermission RefusalCode = "MISSING_PERMISSION"
	NotAMember        RefusalCode = "NOT_A_MEMBER"
	ChannelInactive   RefusalCode = "CHANNEL_INACTIVE"
	ChannelOffline    RefusalCode = "CHANNEL_OFFLINE"
	CannotStartHere   RefusalCode = "CANNOT_START_HERE"
	NumberMissing     RefusalCode = "NUMBER_MISSING"
	FieldNotReadable  RefusalCode = "FIELD_NOT_READABLE"
	FieldNotForHere   RefusalCode = "FIELD_NOT_FOR_CHANNEL"
	NumberInvalid     RefusalCode = "NUMBER_INVALID"
	OptedOut          RefusalCode = "OPTED_OUT"
	ConsentRequired   RefusalCode = "CONSENT_REQUIRED"
	OutsideCountry    RefusalCode = "OUTSIDE_COUNTRY"
	CareWindowClosed  RefusalCode = "CARE_WINDOW_CLOSED"
	TextEmpty         RefusalCode = "TEXT_EMPTY"
	TextTooLong       RefusalCode = "TEXT_TOO_LONG"
	NotSentByAgents   RefusalCode = "NOT_SENT_BY_AGENTS"
	ValuesMissing     RefusalCode = "VALUES_MISSING"
	NoFormatFits      RefusalCode = "NO_FORMAT_FITS"
)

// Refusal is one reason why a message cannot be sent.
type Refusal struct {
	Code    RefusalCode
	Message string
}

// DraftSegments is how a text is cut up for the carrier.
type DraftSegments struct {
	Encoding                   channel.Encoding
	Units, Segments, Remaining int
}

// Sendability is whether a message could be sent, and every reason why not.
type Sendability struct {
	Refusals []*Refusal
	Segments *DraftSegments
	// RepliesUntil is when the care window closes or closed; nil when there is none
	// or it never opened.
	RepliesUntil *clock.Time
}

// CanSend reports whether nothing stands against it.
func (s *Sendability) CanSend() bool { return len(s.Refusals) == 0 }

// Plan is everything that decides whether a text can be sent. It is a value: the
// same function of it answers `sendability` and guards the send.
type Plan struct {
	Licensed bool
	MaySend  bool // MessagingAgent
	Starts   bool // the first message of a conversation an agent starts
	MayStart bool // AgentInitiatedOutbound; asked when Starts
	Member   bool // of the sender ID; asked when Starts

	ChannelType   channel.Type
	ChannelActive bool
	AccountActive bool // and its provider known
	Header        channel.Header
	SenderAddress string
	SenderCountry string // two letters, empty when unknown

	FieldHidden    bool   // the record's number stands in fields that the viewer may not read
	FieldElsewhere bool   // the phone field that was asked for serves other types of channel
	Number         string // the customer's address; E.164 when NumberValid
	NumberValid    bool
	NumberProblem  error // why it is not, if that is known
	Consent        channel.Consent
	Required       channel.Consent // empty when the channel requires none
	RecordOptedOut bool
	OptOutHidden   bool // whether it has stands in a field that the viewer may not read

	LastIncoming clock.Time
	Now          clock.Time

	Program   bool    // a service account sends it
	Automatic bool    // nobody sends it: the channel answers by itself
	Text      *string // nil when there is no draft yet
	Component *Filled // in place of a text; nil for none
	TimesOver bool    // it is a component that is sent again, and each of its times has begun
}

// Judge answers with every reason together.
func Judge(p Plan) *Sendability {
	s := &Sendability{}
	if w := p.window(); w > 0 && !p.LastIncoming.IsZero() {
		until := p.LastIncoming.Add(w)
		s.RepliesUntil = &until
	}
	refuse := func(when bool, code RefusalCode, format string, args ...any) {
		if when {
			s.Refusals = append(s.Refusals, &Refusal{code, fmt.Sprintf(format, args...)})
		}
	}
	p.judgeSender(refuse)
	p.judgeCustomer(refuse)
	refuse(p.TimesOver || p.Component != nil && p.Component.IsOver(p.Now), ValuesMissing, "Each time of the component has begun. Prepare it again with later ones.")
	switch {
	case p.Component != nil:
		p.judgeComponent(refuse)
	case p.Text != nil:
		p.judgeText(refuse)
	}
	if p.Text != nil {
		s.Segments = p.segments()
	}
	return s
}

type refuse func(when bool, code RefusalCode, format string, args ...any)

func (p *Plan) judgeSender(refuse refuse) {
	caps := channel.CapabilitiesOf(p.ChannelType)
	refuse(!p.Licensed, NoLicence, "You have no licence to send. Ask an administrator for one.")
	refuse(!p.MaySend, MissingPermission, "Sending needs the permission MESSAGING_AGENT. Ask an administrator.")
	refuse(p.Starts && !p.MayStart, MissingPermission, "Starting a conversation needs the permission AGENT_INITIATED_OUTBOUND. Ask an administrator.")
	refuse(p.Starts && !p.Member, NotAMember, "You may not send from this sender ID. Choose one of yours, or ask an administrator to share it.")
	refuse(p.Starts && !caps.AgentStarts, CannotStartHere, "On a channel of type %s only the customer can start a conversation. Wait for the customer to write, or choose another channel.", p.ChannelType)
	refuse(!p.ChannelActive, ChannelInactive, "This sender ID is switched off. Choose another, or ask an administrator.")
	refuse(!p.AccountActive, ChannelOffline, "The carrier account of this sender ID is switched off or not set up. Ask an administrator.")
}

func (p *Plan) judgeCustomer(refuse refuse) {
	empty := channel.IsBlank(p.Number)
	refuse(p.FieldHidden, FieldNotReadable, "The number stands in a field of the record that you may not read. Choose another phone field, or ask an administrator.")
	refuse(p.FieldElsewhere, FieldNotForHere, "This phone field of the record is not for channels of type %s. Choose another field, or another sender ID.", p.ChannelType)
	refuse(empty && !p.FieldHidden && !p.FieldElsewhere, NumberMissing, "The record has no mobile number. Add one in the CRM.")
	refuse(!empty && !p.NumberValid, NumberInvalid, "The mobile number cannot be messaged: %s.", p.numberProblem())
	refuse(!empty && p.Number == p.SenderAddress, NumberInvalid, "The mobile number is the sender ID's own. Choose another.")
	refuse(p.OptOutHidden, FieldNotReadable, "Whether the customer has opted out stands in a field of the record that you may not read. Ask an administrator.")
	optedOut := p.Consent == channel.OptOut || p.RecordOptedOut && !p.OptOutHidden
	refuse(optedOut, OptedOut, "The customer has opted out. Nothing can be sent until they opt in again.")
	required := p.required()
	known := p.Consent != "" // a customer who is not there yet has no consent to judge
	refuse(known && !optedOut && !p.Consent.Satisfies(required), ConsentRequired,
		"This sender ID needs the consent %s; the customer has given %s. Ask them to opt in.", required, p.Consent)
	refuse(p.isAbroad(), OutsideCountry, "The number is not in %s, and this sender ID sends SMS only within that country. Choose a sender ID of the number's country.", p.SenderCountry)
	refuse(p.isClosed() && !p.isRegistered(), CareWindowClosed,
		"More than %d hours have passed since the customer wrote. Send a registered template instead.", p.window()/time.Hour)
}

// window is how long after the customer's last message free text may be sent.
func (p *Plan) window() time.Duration {
	return channel.CapabilitiesOf(p.ChannelType).Window(p.Automatic || p.Program)
}

func (p *Plan) isClosed() bool { return channel.IsClosed(p.window(), p.LastIncoming, p.Now) }

func (p *Plan) numberProblem() string {
	if p.NumberProblem == nil {
		return "correct it"
	}
	return p.NumberProblem.Error()
}

// isAbroad reports whether an SMS would leave the sender's country. Whoever wrote in
// can be answered wherever they are.
func (p *Plan) isAbroad() bool {
	return p.ChannelType.IsSMS() && p.SenderCountry != "" && p.NumberValid && p.LastIncoming.IsZero() &&
		!number.Within(p.Number, p.SenderCountry)
}

// required is the consent that the channel asks for: what it states, and on short
// codes EXPLICIT at least (DOMAIN: Messaging user and consent). A person may be
// written to without any where nothing is stated.
func (p *Plan) required() channel.Consent {
	if p.ChannelType == channel.SMSShortCode && !p.Required.Satisfies(channel.ExplicitOptIn) {
		return channel.ExplicitOptIn
	}
	return p.Required
}

func (p *Plan) judgeText(refuse refuse) {
	empty := channel.IsBlank(*p.Text)
	refuse(empty, TextEmpty, "The text is empty. Write something.")
	if most := channel.CapabilitiesOf(p.ChannelType).AutoResponseMost(); p.Automatic && utf8.RuneCountInString(*p.Text) > most {
		refuse(true, TextTooLong, "The text is longer than an automatic answer may be: at most %d characters. Shorten it.", most)
		return
	}
	limit := channel.TextLimit(p.ChannelType)
	if empty || limit.Allows(*p.Text, p.Header) {
		return
	}
	within := fmt.Sprintf("%d characters", limit.Characters)
	if limit.Segments > 0 {
		within += fmt.Sprintf(" and %d segments", limit.Segments)
	}
	refuse(true, TextTooLong, "The text is longer than this channel allows: at most %s. Shorten it.", within)
}

func (p *Plan) segments() *DraftSegments {
	if !p.ChannelType.IsSMS() {
		return nil
	}
	s := channel.Segment(*p.Text, p.Header)
	return &DraftSegments{Encoding: s.Encoding, Units: s.Units, Segments: s.Segments, Remaining: s.Remaining}
}
