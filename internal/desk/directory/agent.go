package directory

import (
	"slices"

	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// Agent is a person who works conversations, or a service account, as colleagues see
// them.
type Agent struct {
	Key        int64
	ID         string
	Username   string
	Name       string
	Role       viewer.Role
	IsLicensed bool
	IsActive   bool
	Kind       viewer.Kind

	rights    *viewer.Viewer
	validFrom clock.Time // tokens issued before are refused
	signedOut clock.Time // so are tokens that say they were issued before this
	sets      []int64    // keys of permission sets
	records   *object.Rights

	defaultChannel   *Channel
	timeZone, locale string
}

// IsNode marks a GraphQL Node.
func (*Agent) IsNode() {}

// HasSet reports whether the agent has been given the permission set with the key.
func (a *Agent) HasSet(key int64) bool { return slices.Contains(a.sets, key) }

// DefaultChannel is the sender ID that composing starts with; nil when there is none, or
// when the agent may not send from it.
func (a *Agent) DefaultChannel() *Channel { return a.defaultChannel }

// TimeZone is the agent's time zone, an IANA name; nil when it is not set.
func (a *Agent) TimeZone() *string { return stated(a.timeZone) }

// Locale is the agent's language tag; nil when it is not set.
func (a *Agent) Locale() *string { return stated(a.locale) }

// stated is a text, nil for an empty one.
func stated(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Rights are what the agent may do, or could if they were active.
func (a *Agent) Rights() *viewer.Viewer { return a.rights }
