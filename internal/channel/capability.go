package channel

import (
	"slices"
	"time"

	"parley/internal/ground/clock"
)

// Support says whether a kind of channel reports something.
type Support string

// The degrees of support. WhenReported means that the channel promises nothing,
// and that what a provider reports all the same is taken and shown.
const (
	Never        Support = "NEVER"
	WhenReported Support = "WHEN_REPORTED"
	Always       Support = "ALWAYS"
)

// Capabilities is what a kind of channel can do (DOMAIN 4). Clients query it;
// the guards of a send read it.
type Capabilities struct {
	Type Type

	// AgentStarts: an agent may write first.
	AgentStarts bool
	// TriggeredOutbound: automation may write first. Where regions are named it
	// may do so from numbers of these ISO countries only. Landline long codes
	// never may; whether a number is one is a property of the channel.
	TriggeredOutbound        bool
	TriggeredOutboundRegions []string
	// Broadcast: one text to many. Carriers block it from long codes.
	Broadcast bool

	AgentMarksInactive bool // the agent may set a session aside
	CustomerEnds       bool // the customer may end the conversation

	TypingToAgent, TypingToCustomer bool
	ReadReceipt, DeliveryReceipt    Support // as shown to the agent

	EstimatedWait     bool // the customer is told how long the queue takes
	Components        bool // links, questions and time selectors
	AutoResponses     bool // auto-response components
	Transfer          bool // also raising a flag and whispering
	SensitiveData     bool // sensitive data rules rewrite texts
	Templates         bool
	LinkingRules      bool
	TextWithFile      bool // one message may hold a text and a file
	BusinessHoursHold bool // outside business hours a message waits for them

	// ConsentModes are the levels of consent a channel may require, lowest
	// first; empty where the customer always comes to us.
	ConsentModes []Consent

	// CareWindow is how long after the customer's last message free text may be
	// sent; zero means for ever. HumanAgentWindow is the longer one for a reply
	// that a person writes.
	CareWindow, HumanAgentWindow time.Duration

	// Text limits an outbound text. An inbound text of more than InboundText
	// bytes is kept as an attachment; zero means that there is no such rule.
	Text        Limit
	InboundText int

	// SendsPerSecond is the default of the channel's rate setting; zero means
	// that the provider states none.
	SendsPerSecond int
}

// ReplyWindow is how long after the customer's last message a person may still
// answer with free text; zero means for ever.
func (c Capabilities) ReplyWindow() time.Duration { return max(c.CareWindow, c.HumanAgentWindow) }

// RepliesUntil is the last instant of the reply window that the customer's last
// message opened; zero when there is no window or no message.
func (c Capabilities) RepliesUntil(lastIncoming clock.Time) clock.Time {
	if c.ReplyWindow() == 0 || lastIncoming.IsZero() {
		return 0
	}
	return lastIncoming.Add(c.ReplyWindow())
}

// Types lists every type of channel, in the order clients show them.
func Types() []Type {
	return []Type{SMSLongCode, SMSTollFree, SMSShortCode, WhatsApp, WhatsAppEnhanced, Facebook, FacebookEnhanced, Web, InApp}
}

// CapabilitiesOf returns the capabilities of channels of type t. A type that is
// not known can do nothing. The caller may change what it gets.
func CapabilitiesOf(t Type) Capabilities {
	c := capabilities[t]
	c.Type = t
	c.ConsentModes = slices.Clone(c.ConsentModes)
	c.TriggeredOutboundRegions = slices.Clone(c.TriggeredOutboundRegions)
	return c
}

var capabilities = map[Type]Capabilities{
	SMSLongCode:      longCode(),
	SMSTollFree:      tollFree(),
	SMSShortCode:     shortCode(),
	WhatsApp:         whatsApp(),
	WhatsAppEnhanced: whatsAppEnhanced(),
	Facebook:         facebook(),
	FacebookEnhanced: facebookEnhanced(),
	Web:              web(),
	InApp:            web(),
}

const (
	day         = 24 * time.Hour
	careWindow  = day
	humanWindow = 7 * day
)

func longCode() Capabilities {
	return Capabilities{
		AgentStarts:       true,
		TriggeredOutbound: true,
		ReadReceipt:       Never,
		DeliveryReceipt:   WhenReported,
		SensitiveData:     true,
		Templates:         true,
		LinkingRules:      true,
		BusinessHoursHold: true,
		ConsentModes:      []Consent{ImplicitOptIn},
		Text:              smsLimit,
		SendsPerSecond:    1,
	}
}

func tollFree() Capabilities {
	c := longCode()
	c.Broadcast = true
	c.TriggeredOutboundRegions = []string{"US"}
	c.SendsPerSecond = 10
	return c
}

// shortCode must be opted into: carriers require explicit consent at least.
func shortCode() Capabilities {
	c := longCode()
	c.Broadcast = true
	c.ConsentModes = []Consent{ExplicitOptIn, DoubleOptIn}
	c.SendsPerSecond = 100
	return c
}

func whatsApp() Capabilities {
	return Capabilities{
		AgentStarts:       true,
		TriggeredOutbound: true,
		ReadReceipt:       WhenReported,
		DeliveryReceipt:   Always,
		SensitiveData:     true,
		Templates:         true,
		LinkingRules:      true,
		BusinessHoursHold: true,
		ConsentModes:      []Consent{ImplicitOptIn},
		CareWindow:        careWindow,
		Text:              whatsAppLimit,
	}
}

func whatsAppEnhanced() Capabilities {
	return Capabilities{
		AgentMarksInactive: true,
		ReadReceipt:        WhenReported,
		DeliveryReceipt:    Always,
		Transfer:           true,
		LinkingRules:       true,
		TextWithFile:       true,
		BusinessHoursHold:  true,
		ConsentModes:       []Consent{ImplicitOptIn, ExplicitOptIn},
		CareWindow:         careWindow,
		Text:               whatsAppEnhancedLimit,
		InboundText:        9 << 20,
	}
}

func facebook() Capabilities {
	return Capabilities{
		AgentStarts:       true,
		TriggeredOutbound: true,
		ReadReceipt:       Never,
		DeliveryReceipt:   Never,
		SensitiveData:     true,
		Templates:         true,
		LinkingRules:      true,
		ConsentModes:      []Consent{ImplicitOptIn},
		CareWindow:        careWindow,
		HumanAgentWindow:  humanWindow,
		Text:              facebookLimit,
		SendsPerSecond:    250,
	}
}

func facebookEnhanced() Capabilities {
	return Capabilities{
		AgentMarksInactive: true,
		TypingToCustomer:   true,
		ReadReceipt:        Never,
		DeliveryReceipt:    Always,
		Components:         true,
		Transfer:           true,
		Templates:          true,
		LinkingRules:       true,
		TextWithFile:       true,
		ConsentModes:       []Consent{ImplicitOptIn, ExplicitOptIn},
		CareWindow:         careWindow,
		HumanAgentWindow:   humanWindow,
		Text:               facebookLimit,
		InboundText:        9 << 10,
		SendsPerSecond:     250,
	}
}

// web is also in-app; the two differ in the files they take.
func web() Capabilities {
	return Capabilities{
		AgentMarksInactive: true,
		CustomerEnds:       true,
		TypingToAgent:      true,
		TypingToCustomer:   true,
		ReadReceipt:        Always,
		DeliveryReceipt:    Always,
		EstimatedWait:      true,
		Components:         true,
		AutoResponses:      true,
		Transfer:           true,
		TextWithFile:       true,
		Text:               webLimit,
	}
}
