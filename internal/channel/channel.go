// Package channel defines what Parley can speak through: channel types with their
// capabilities and limits, and the Provider interface that each carrier's adapter
// implements.
package channel

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"parley/internal/ground/clock"
)

// Type is the kind of a channel. It never changes after creation.
type Type string

// The channel types (DOMAIN: Channels).
const (
	SMSLongCode      Type = "SMS_LONG_CODE"
	SMSTollFree      Type = "SMS_TOLL_FREE"
	SMSShortCode     Type = "SMS_SHORT_CODE"
	WhatsApp         Type = "WHATSAPP"
	WhatsAppEnhanced Type = "WHATSAPP_ENHANCED"
	Facebook         Type = "FACEBOOK"
	FacebookEnhanced Type = "FACEBOOK_ENHANCED"
	Web              Type = "WEB"
	InApp            Type = "IN_APP"
	// OtherType is a type that a newer version has made channels of, and that this
	// one does not know. Nothing can be done on it here.
	OtherType Type = "OTHER"
)

// Known is the type, OtherType when it is not known.
func (t Type) Known() Type {
	if _, known := capabilities[t]; known {
		return t
	}
	return OtherType
}

// IsSMS reports whether the channel is a phone number that texts.
func (t Type) IsSMS() bool { return t == SMSLongCode || t == SMSTollFree || t == SMSShortCode }

// Consent is how far a customer has agreed to be messaged, on one channel.
type Consent string

// The consent statuses, lowest first; OptOut blocks always, Pending is prompted
// but not answered.
const (
	OptOut        Consent = "OPT_OUT"
	Pending       Consent = "PENDING"
	ImplicitOptIn Consent = "IMPLICIT_OPT_IN"
	ExplicitOptIn Consent = "EXPLICIT_OPT_IN"
	DoubleOptIn   Consent = "DOUBLE_OPT_IN"
)

// consents are the statuses by what they are worth; "" requires nothing.
var consents = map[Consent]int{"": 0, OptOut: 0, Pending: 0, ImplicitOptIn: 1, ExplicitOptIn: 2, DoubleOptIn: 3}

// IsKnown reports whether this version knows the status.
func (c Consent) IsKnown() bool {
	_, known := consents[c]
	return known
}

// Satisfies reports whether c is at least the required level. A status that is not
// known, on either side, satisfies nothing: it may mean anything.
func (c Consent) Satisfies(required Consent) bool {
	return c.IsKnown() && required.IsKnown() && consents[c] >= consents[required]
}

// Given is the status as the graph shows it: PENDING for one that is not known.
func (c Consent) Given() Consent {
	if c.IsKnown() {
		return c
	}
	return Pending
}

// AsRequired is the level that a channel requires as the graph shows it: the
// highest for one that is not known.
func (c Consent) AsRequired() Consent {
	if c.IsKnown() {
		return c
	}
	return DoubleOptIn
}

// Account is a provider account as a Provider sees it: where it lives and what
// proves us. It is a copy; providers never touch the database.
type Account struct {
	ID  int64
	Key string // the last element of its webhook URL
	// Credentials are of the type that the provider reads them as; nil when they
	// cannot be read.
	Credentials Credentials
	// BaseURL replaces the provider's own API address; empty means the default.
	BaseURL string
}

// Outgoing is one attempt to send one message.
type Outgoing struct {
	AttemptKey string // opaque, unique per attempt; the idempotency key where the provider takes one
	From, To   string // addresses; E.164 for phones
	Type       Type   // of the channel that it leaves by
	Content    Content
	// StatusURL is where the provider reports what became of the message. It
	// already carries the attempt's key.
	StatusURL string
}

// Outcome is how a call to Send ended.
type Outcome int

// The outcomes of a send. Unknown means that the provider may or may not have
// taken the message; Throttled and Unreachable mean that this call surely did not
// give it one, whatever a call before under the same key did.
const (
	Accepted Outcome = iota + 1
	Rejected
	Throttled
	Unreachable
	Unknown
)

// Result is what a provider answered to a send.
type Result struct {
	Outcome    Outcome
	ProviderID string        // the provider's id of the message, when Accepted
	Code       ErrorCode     // when Rejected, Throttled or Unreachable
	OptedOut   bool          // when Rejected because the customer has opted out at the carrier
	Detail     string        // the provider's own words or number, for operators; no message text, no secret
	RetryAfter time.Duration // when Throttled, if the provider said so
}

// Receipt is a status report for a message sent earlier.
type Receipt struct {
	EventID    string // unique per account; the same report twice has the same id
	AttemptKey string // from the status URL; may be empty
	ProviderID string
	Status     Status
	Code       ErrorCode // when Failed
	OptedOut   bool      `json:",omitempty"` // Failed because the customer has opted out at the carrier
	Detail     string
	At         clock.Time // provider time, zero when not told
}

// Inbound is one message from a customer.
type Inbound struct {
	EventID    string // unique per account
	ProviderID string
	From, To   string // customer address, channel address
	FromName   string // when the provider tells it
	Text       string
	// Tapped is the token of the option that the customer tapped, with its title as the
	// text; empty for what they wrote. It is the sender's word: only whoever made the
	// tokens can tell whether it is one.
	Tapped string `json:",omitempty"`
	Media  []Media
	// Missing names what came with the message and cannot be taken ("1 file beyond the
	// first 10"); the thread says so behind what can. Refused are such files, kept for
	// operators and never fetched.
	Missing []string `json:",omitempty"`
	Refused []Media  `json:",omitempty"`
	// Unsupported names a kind of content we cannot show ("sticker"); such a
	// message is kept as an EVENT that says so.
	Unsupported string
	// Consent is what the carrier takes the message for: OptOut, ImplicitOptIn when
	// it lets the customer be written to again, or none.
	Consent Consent    `json:",omitempty"`
	At      clock.Time // provider time, zero when not told
}

// Media is a file that came with an inbound message, still at the provider.
type Media struct {
	ContentType string `json:"contentType"`
	URL         string `json:"url"`
}

// Delivery is what one verified webhook request holds. Entries that could not
// be understood are in Bad and are kept raw.
type Delivery struct {
	Messages []Inbound
	Receipts []Receipt
	Bad      []Bad
}

// Bad is an entry of a webhook that could not be understood.
type Bad struct {
	EventID string // made from the content when the provider gave none
	Reason  string
	Raw     []byte // this entry alone
}

// Webhook is an HTTP request from a provider, its body already read and bounded.
type Webhook struct {
	// PublicURL is the address the provider was given, query included: the
	// configured public base joined with the request's path and query.
	PublicURL string
	Query     url.Values
	Header    http.Header
	Body      []byte
}

// NoCarrier is what an account names as its provider that stands for the source of
// an import: nothing is sent through it, and no webhook is taken for it.
const NoCarrier = "import"

// Provider is a carrier's adapter. Implementations hold no state that matters
// after a restart and are safe for concurrent use. What not every carrier can do is
// an interface of its own: Caller, Challenger, Checker, Demonstrator,
// Documenter, Lister, Segmenter, Selective.
type Provider interface {
	// Name is the {provider} of the webhook URL, such as "twilio".
	Name() string
	// CredentialFields are what administrators give for an account; together they make
	// the JSON object, with texts as values, that ParseCredentials reads.
	CredentialFields() []CredentialField
	// ParseCredentials reads the JSON object that is stored of an account. Its error
	// quotes nothing of it.
	ParseCredentials(document []byte) (Credentials, error)
	// TakesKey reports whether the provider drops a second send with the same
	// AttemptKey. Only then may an attempt that got no answer be sent again.
	TakesKey() bool
	// Send makes one call to the provider, bounded by ctx. It never retries. Content
	// of a kind that it cannot send is Unsupported, without a call.
	Send(ctx context.Context, a Account, m Outgoing) Result
	// Verify checks the signature in constant time. False means 403 and nothing
	// happens.
	Verify(a Account, w Webhook) bool
	// Parse reads a verified webhook. It never fails as a whole: what it cannot
	// understand is in Delivery.Bad.
	Parse(a Account, w Webhook) Delivery
	// Reply is the response body and content type the provider expects on
	// success ("" for none).
	Reply() (contentType, body string)
}

// Providers are the adapters that a process has.
type Providers []Provider

// Named returns the provider with the name, nil when there is none.
func (ps Providers) Named(name string) Provider {
	for _, p := range ps {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// ByName returns the providers by their names.
func (ps Providers) ByName() map[string]Provider {
	named := make(map[string]Provider, len(ps))
	for _, p := range ps {
		named[p.Name()] = p
	}
	return named
}

// Caller is what a customer's phone does through the provider; `parley sandbox
// say` uses it to make a signed inbound webhook.
type Caller interface {
	// Compose returns the signed request that delivers m to webhookURL.
	Compose(a Account, webhookURL string, m Inbound) (*http.Request, error)
}

// Tapper is a Caller whose customers get components with options to tap; `parley sandbox
// tap` uses it.
type Tapper interface {
	Caller
	// ComposeTap returns the signed request that delivers to webhookURL the tap on option
	// n, from 1, of the last component that m.From got from m.To.
	ComposeTap(a Account, webhookURL string, m Inbound, n int) (*http.Request, error)
}
