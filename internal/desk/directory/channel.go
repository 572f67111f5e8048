package directory

import (
	"time"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/ground/viewer"
)

// Channel is one address of the business.
type Channel struct {
	Key     int64
	ID      string
	Name    string
	Type    channel.Type
	Address string
	// Country is where national numbers are read: the channel's, else its number's, else
	// the organisation's.
	Country  string
	IsActive bool
	Queue    int64
	// Required is the consent level a customer must have given; empty for none.
	Required channel.Consent
	// Account is the provider account it belongs to.
	Account *Account

	members       []*Agent
	ownCountry    string
	developerName string
	ownLimits     channel.SendLimits
	responses     []component.Response
}

// IsNode marks a GraphQL Node.
func (*Channel) IsNode() {}

// Members are the active agents who may send from it, by name.
func (c *Channel) Members() []*Agent { return c.members }

// DeveloperName is what programs call it; nil for none.
func (c *Channel) DeveloperName() *string { return stated(c.developerName) }

// CountryCode is the channel's own country; nil when it has none.
func (c *Channel) CountryCode() *string { return stated(c.ownCountry) }

// Capabilities are what channels of its type can do.
func (c *Channel) Capabilities() *channel.Capabilities { return channel.CapabilitiesOf(c.Type) }

// Limits are what the carrier takes from it: its own, and its type's where it has none.
func (c *Channel) Limits() channel.SendLimits { return c.ownLimits.Or(c.Capabilities().Limits) }

// AutoResponses is what it says by itself.
func (c *Channel) AutoResponses() []component.Response { return c.responses }

// Response is what it says by itself at a moment; nil for nothing.
func (c *Channel) Response(at component.Moment) *component.Response {
	for i := range c.responses {
		if c.responses[i].Moment == at {
			return &c.responses[i]
		}
	}
	return nil
}

// Pace is the time from one message of the channel to the next; 0 where no limit of
// messages a second was set for it. A type's default sets no pace: carriers queue by it.
func (c *Channel) Pace() time.Duration { return c.ownLimits.Pace() }

// RequiredConsent is Required, nil for none.
func (c *Channel) RequiredConsent() *channel.Consent {
	if c.Required == "" {
		return nil
	}
	required := c.Required.AsRequired()
	return &required
}

// SoleOwner is the key of the one person who owns the channel, 0 when it is shared or
// nobody's. Service accounts own none.
func (c *Channel) SoleOwner() (key int64) {
	for _, m := range c.members {
		switch {
		case m.Kind == viewer.Service:
		case key != 0:
			return 0
		default:
			key = m.Key
		}
	}
	return key
}

// Queue is where conversations wait for one of its members.
type Queue struct {
	Key  int64
	ID   string
	Name string

	members  []*Agent
	channels []*Channel
}

// IsNode marks a GraphQL Node.
func (*Queue) IsNode() {}

// Members are the active agents who work it, by name.
func (q *Queue) Members() []*Agent { return q.members }

// Channels are those whose new conversations go to it, by name.
func (q *Queue) Channels() []*Channel { return q.channels }
