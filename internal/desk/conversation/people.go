package conversation

import (
	"context"

	"parley/ent"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// startingConsent is what a customer has given by writing in, or by being
// written to for the first time.
const startingConsent = channel.ImplicitOptIn

// MessagingUser is one customer address on one channel.
type MessagingUser struct {
	Key           int64
	ChannelID     int64
	Address       string
	Name          string
	ConsentStatus channel.Consent

	// MergedInto is the customer they were found to be; 0 for none.
	MergedInto int64
	// ExternalID is their id in another system; empty if unknown.
	ExternalID string

	country, locale, timeZone string
	namedBy                   NameSource
	desk                      *Service
}

// NameSource is who gave a customer's own name. A conversation shows the name of its record
// and, without one, the customer's own. A carrier's name is taken only while there is none.
type NameSource string

// The sources of names.
const (
	NamedByCarrier NameSource = "CARRIER"
	NamedByAgent   NameSource = "AGENT"
	NamedByImport  NameSource = "IMPORT"
	NamedByRecord  NameSource = "RECORD"
	// NamedByOther is a source that only a newer version knows.
	NamedByOther NameSource = "OTHER"
)

// Of is the source of a name that s gave: empty for an empty name, which nobody gave.
func (s NameSource) Of(name string) NameSource {
	if name == "" {
		return ""
	}
	return s
}

var userColumns = []string{"id", "channel_id", "address", "name", "country", "locale", "consent_status", "merged_into", "external_id", "time_zone", "name_source"}

// readUser reads the userColumns, with which a row begins.
func (d *Service) readUser(s *store.Row) *MessagingUser {
	return &MessagingUser{
		Key: s.Int(0), ChannelID: s.Int(1), Address: s.Text(2), Name: s.Text(3), country: s.Text(4), locale: s.Text(5),
		ConsentStatus: channel.Consent(s.Text(6)), MergedInto: s.Int(7), ExternalID: s.Text(8), timeZone: s.Text(9),
		namedBy: NameSource(s.Text(10)), desk: d,
	}
}

// IsNode marks a GraphQL Node.
func (*MessagingUser) IsNode() {}

// ID is the opaque id.
func (u *MessagingUser) ID() string { return u.desk.IDs.Encode(publicid.MessagingUser, u.Key) }

// Channel is the channel the address is on.
func (u *MessagingUser) Channel() *directory.Channel { return u.desk.Directory.Channel(u.ChannelID) }

// GivenConsent is the consent status as the graph shows it.
func (u *MessagingUser) GivenConsent() channel.Consent { return u.ConsentStatus.Given() }

// NameSource is who gave the name; nil if nobody did, or that was not kept. Servers of 0.1.0
// take a name away and leave its source.
func (u *MessagingUser) NameSource() *NameSource {
	switch by := u.namedBy.Of(u.Name); by {
	case "", NamedByCarrier, NamedByAgent, NamedByImport, NamedByRecord:
		return table.Optional(by)
	}
	return table.Optional(NamedByOther)
}

// Country is the number's country, nil when unknown.
func (u *MessagingUser) Country() *string { return table.Optional(u.country) }

// Locale is the customer's language tag, nil when unknown.
func (u *MessagingUser) Locale() *string { return table.Optional(u.locale) }

// TimeZone is the IANA name of the customer's time zone, nil when unknown.
func (u *MessagingUser) TimeZone() *string { return table.Optional(u.timeZone) }

// Record is a row of the CRM.
type Record struct {
	Key        int64
	ObjectType string
	ExternalID string
	Name       string
	Mobile     string
	OptedOut   bool

	service *Service
}

// IsNode marks a GraphQL Node.
func (*Record) IsNode() {}

// ID is the opaque id.
func (r *Record) ID() string { return r.service.IDs.Encode(publicid.Record, r.Key) }

// Users reads messaging users by key, as far as the viewer may see them, in one
// statement.
func (d *Service) Users(ctx context.Context, keys []int64) (map[int64]*MessagingUser, error) {
	rows, err := d.Store.Ent.MessagingUser.Query().Where(messaginguser.IDIn(keys...)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]*MessagingUser, len(rows))
	for _, r := range rows {
		out[r.ID] = d.user(r)
	}
	return out, nil
}

func (d *Service) user(r *ent.MessagingUser) *MessagingUser {
	u := &MessagingUser{
		Key: r.ID, ChannelID: r.ChannelID, Address: r.Address, Name: r.Name, ConsentStatus: r.ConsentStatus, ExternalID: r.ExternalID,
		country: r.Country, locale: r.Locale, timeZone: r.TimeZone, namedBy: NameSource(r.NameSource), desk: d,
	}
	if r.MergedInto != nil {
		u.MergedInto = *r.MergedInto
	}
	return u
}

// MostMerged is how many others may be merged into a customer.
const MostMerged = 20

// MergedFrom reads, of each messaging user, those who are merged into them, in one
// statement. Whoever may read a messaging user may read them.
func (d *Service) MergedFrom(ctx context.Context, users []*MessagingUser) ([][]*MessagingUser, error) {
	keys := make([]int64, len(users))
	for i, u := range users {
		keys[i] = u.Key
	}
	rows, err := d.Store.Ent.MessagingUser.Query().Where(messaginguser.MergedIntoIn(keys...)).
		Order(messaginguser.ByID()).All(viewer.AsSystem(ctx, "edge"))
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]*MessagingUser, len(users))
	for _, r := range rows {
		found[*r.MergedInto] = append(found[*r.MergedInto], d.user(r))
	}
	out := make([][]*MessagingUser, len(users))
	for i, u := range users {
		out[i] = append([]*MessagingUser{}, found[u.Key]...)
	}
	return out, nil
}
