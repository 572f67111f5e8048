package conversation

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/identifier"
	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/number"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Identifier is a name by which carriers know a customer on a channel.
type Identifier struct {
	StoredKind channel.IdentifierKind
	Value      string
	Came       string // as it was first written; empty when that was not kept
	IsPrimary  bool
}

// mostCame is how many characters of what came are kept.
const mostCame = 200

// IdentifierOf is the identifier of a customer who has one, on a channel of type t: the
// address as it is stored, and as it came.
func IdentifierOf(address, came string, t channel.Type) Identifier {
	i := Identifier{channel.PlatformID, address, channel.Cut(channel.CleanText(came), mostCame), true}
	if n, err := number.Read(address, "", number.Carrier); err == nil && n.E164 == address {
		i.StoredKind = channel.PhoneNumber
	} else if t.IsSMS() {
		i.StoredKind = channel.SenderName
	} else if kind := channel.KindOf(address, t); kind != "" {
		i.StoredKind = kind
	}
	return i
}

// Kind is what kind of name it is.
func (i *Identifier) Kind() channel.IdentifierKind { return i.StoredKind.Known() }

// Received is how it was written when it first came, nil when that was not kept.
func (i *Identifier) Received() *string { return table.Optional(i.Came) }

// Identifiers reads those of each messaging user, the primary first, in one statement.
// Whoever may read a messaging user may read them.
func (d *Service) Identifiers(ctx context.Context, users []*MessagingUser) ([][]*Identifier, error) {
	keys := make([]int64, len(users))
	for i, u := range users {
		keys[i] = u.Key
	}
	rows, err := d.Store.Ent.Identifier.Query().Where(identifier.MessagingUserIDIn(keys...)).
		Order(identifier.ByIsPrimary(entsql.OrderDesc()), identifier.ByID()).All(viewer.AsSystem(ctx, "edge"))
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]*Identifier, len(users))
	for _, r := range rows {
		found[r.MessagingUserID] = append(found[r.MessagingUserID], &Identifier{r.Kind, r.Display, r.Received, r.IsPrimary})
	}
	out := make([][]*Identifier, len(users))
	for i, u := range users {
		if out[i] = found[u.Key]; out[i] == nil { // an older version made them
			known := IdentifierOf(u.Address, "", u.Channel().Type)
			out[i] = []*Identifier{&known}
		}
	}
	return out, nil
}

// identify is the statement that makes a customer's first identifier, if there is none.
func (d *Service) identify(channelKey, user int64, c Customer, now clock.Time) store.Query {
	i := IdentifierOf(c.Address, c.Received, d.Directory.Channel(channelKey).Type)
	return makeIdentifier.With(channelKey, user, string(i.StoredKind), i.Value, i.Value, i.Came, int64(now))
}

var makeIdentifier = store.Fixed(`INSERT INTO identifiers (channel_id, messaging_user_id, kind, lookup, display, received, is_primary, created_at)
		VALUES (?, ?, ?, ?, ?, ?, TRUE, ?) ON CONFLICT (channel_id, lookup) DO NOTHING`)
