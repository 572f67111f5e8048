package channel

import (
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

// ComponentSupport says how a kind of channel shows components: links, questions and
// time selectors.
type ComponentSupport string

// The ways. AsText means that a component reaches the customer as plain text, which is
// Parley's own addition.
const (
	NoComponents     ComponentSupport = "NONE"
	AsText           ComponentSupport = "AS_TEXT"
	NativeComponents ComponentSupport = "NATIVE"
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
	Components        ComponentSupport
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
	// AutoResponseText limits an automatic answer, in characters; zero means that Text
	// does.
	AutoResponseText int

	// Files are the files that a message may be. Where countries are named, only
	// channels of these take and send files.
	Files         []FileRule
	FileCountries []string

	// Formats are how components are shown, text last; none where there are no
	// components.
	Formats []FormatRule

	// Limits are the defaults of the channel's own.
	Limits SendLimits
}

// CareWindowHours is CareWindow, nil for ever.
func (c *Capabilities) CareWindowHours() *int { return stated(int(c.CareWindow.Hours())) }

// HumanAgentWindowHours is HumanAgentWindow, nil where there is none.
func (c *Capabilities) HumanAgentWindowHours() *int { return stated(int(c.HumanAgentWindow.Hours())) }

// InboundTextBytes is InboundText, nil where there is no such rule.
func (c *Capabilities) InboundTextBytes() *int { return stated(c.InboundText) }

// AutoResponseCharacters is AutoResponseText, nil where Text counts.
func (c *Capabilities) AutoResponseCharacters() *int { return stated(c.AutoResponseText) }

// AutoResponseMost is how many characters an automatic answer may have.
func (c *Capabilities) AutoResponseMost() int {
	if c.AutoResponseText > 0 {
		return c.AutoResponseText
	}
	return c.Text.Characters
}

// Window is how long after the customer's last message free text may be sent, by a program
// or else by a person; zero means for ever.
func (c *Capabilities) Window(program bool) time.Duration {
	if program {
		return c.CareWindow
	}
	return c.ReplyWindow()
}

// NeedsPerson reports whether the care window is over, and free text may still be sent as
// the reply of a person.
func (c *Capabilities) NeedsPerson(lastIncoming, now clock.Time) bool {
	return IsClosed(c.CareWindow, lastIncoming, now) && !IsClosed(c.HumanAgentWindow, lastIncoming, now) && c.HumanAgentWindow > 0
}

// ReplyWindow is how long after the customer's last message a person may still
// answer with free text; zero means for ever.
func (c *Capabilities) ReplyWindow() time.Duration { return max(c.CareWindow, c.HumanAgentWindow) }

// IsClosed reports whether only a registered template may be sent: there is a window, and
// the customer's last message opened none, or one that is over.
func IsClosed(window time.Duration, lastIncoming, now clock.Time) bool {
	return window > 0 && (lastIncoming.IsZero() || now > lastIncoming.Add(window))
}

// RepliesUntil is the last instant of the reply window that the customer's last
// message opened; zero when there is no window or no message.
func (c *Capabilities) RepliesUntil(lastIncoming clock.Time) clock.Time {
	if c.ReplyWindow() == 0 || lastIncoming.IsZero() {
		return 0
	}
	return lastIncoming.Add(c.ReplyWindow())
}

// Types lists every type of channel, in the order clients show them.
func Types() []Type {
	return []Type{SMSLongCode, SMSTollFree, SMSShortCode, WhatsApp, WhatsAppEnhanced, Facebook, FacebookEnhanced, Web, InApp}
}

// CapabilitiesOf returns the capabilities of channels of type t. A type that is not
// known can do nothing. Nobody may change what it returns.
func CapabilitiesOf(t Type) *Capabilities {
	if c, known := capabilities[t]; known {
		return c
	}
	return &Capabilities{Type: t, ReadReceipt: Never, DeliveryReceipt: Never, Components: NoComponents}
}

var capabilities = byType(map[Type]Capabilities{
	SMSLongCode:      longCode(),
	SMSTollFree:      tollFree(),
	SMSShortCode:     shortCode(),
	WhatsApp:         whatsApp(),
	WhatsAppEnhanced: whatsAppEnhanced(),
	Facebook:         facebook(),
	FacebookEnhanced: facebookEnhanced(),
	Web:              web(),
	InApp:            inApp(),
})

func byType(of map[Type]Capabilities) map[Type]*Capabilities {
	typed := map[Type]*Capabilities{}
	for t, c := range of {
		c.Type = t
		typed[t] = &c
	}
	return typed
}

// AllCapabilities are the capabilities of every type, in the order of Types.
func AllCapabilities() []*Capabilities {
	all := make([]*Capabilities, len(Types()))
	for i, t := range Types() {
		all[i] = CapabilitiesOf(t)
	}
	return all
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
		Components:        AsText,
		Formats:           smsFormats(),
		Text:              smsLimit,
		Files:             smsFiles(mB),
		FileCountries:     []string{"US", "CA"},
		Limits:            SendLimits{PerSecond: 1, PerMonth: 15_000, PerInbound: 3},
	}
}

func tollFree() Capabilities {
	c := longCode()
	c.Broadcast = true
	c.TriggeredOutboundRegions = []string{"US"}
	c.Files = smsFiles(525 * kB)
	c.Limits = SendLimits{PerSecond: 10}
	return c
}

// shortCode must be opted into: carriers require explicit consent at least.
func shortCode() Capabilities {
	c := longCode()
	c.Broadcast = true
	c.ConsentModes = []Consent{ExplicitOptIn, DoubleOptIn}
	c.AutoResponseText = 160
	c.Limits = SendLimits{PerSecond: 100}
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
		Components:        NoComponents,
		Text:              whatsAppLimit,
		Files:             whatsAppFiles(),
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
		Components:         NativeComponents,
		Formats:            whatsAppEnhancedFormats(),
		Text:               whatsAppEnhancedLimit,
		Files:              whatsAppEnhancedFiles(),
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
		Components:        NoComponents,
		Files:             facebookFiles(),
		Limits:            SendLimits{PerSecond: 250, PerReachable: 200},
	}
}

func facebookEnhanced() Capabilities {
	return Capabilities{
		AgentMarksInactive: true,
		TypingToCustomer:   true,
		ReadReceipt:        Never,
		DeliveryReceipt:    Always,
		Components:         NativeComponents,
		Formats:            facebookFormats(),
		Transfer:           true,
		Templates:          true,
		LinkingRules:       true,
		TextWithFile:       true,
		ConsentModes:       []Consent{ImplicitOptIn, ExplicitOptIn},
		CareWindow:         careWindow,
		HumanAgentWindow:   humanWindow,
		Text:               facebookLimit,
		InboundText:        9 << 10,
		Files:              facebookEnhancedFiles(),
		Limits:             SendLimits{PerSecond: 250, PerReachable: 200},
	}
}

// inApp is web, with other files and without popups.
func inApp() Capabilities {
	c := web()
	c.Files = webFiles()
	c.Formats = webFormats(false)
	return c
}

func web() Capabilities {
	return Capabilities{
		AgentMarksInactive: true,
		CustomerEnds:       true,
		TypingToAgent:      true,
		TypingToCustomer:   true,
		ReadReceipt:        Always,
		DeliveryReceipt:    Always,
		EstimatedWait:      true,
		Components:         NativeComponents,
		Formats:            webFormats(true),
		AutoResponses:      true,
		Transfer:           true,
		TextWithFile:       true,
		Text:               webLimit,
		Files:              webFiles("gif"),
	}
}
