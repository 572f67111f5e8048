package conversation

import (
	"context"

	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// Readdress gives a conversation that the write has loaded, and its customer, the
// address that the customer has. No other conversation of the channel may have it.
func (d *Service) Readdress(ctx context.Context, tx *store.Tx, row *Row, address, country string) error {
	known := IdentifierOf(address, "", d.Directory.Channel(row.ChannelID).Type)
	for _, q := range []store.Query{
		readdressUser.With(address, country, row.MessagingUserID),
		readdressIdentifier.With(string(known.StoredKind), address, address, row.MessagingUserID),
	} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return d.Apply(ctx, tx, row, func(_ context.Context, row *Row) (feed.Event, error) {
		row.Address = address
		return feed.Event{Cause: feed.ConversationChanged}, nil
	})
}

var (
	readdressUser       = store.Fixed("UPDATE messaging_users SET address = ?, country = ? WHERE id = ?")
	readdressIdentifier = store.Fixed("UPDATE identifiers SET kind = ?, lookup = ?, display = ? WHERE messaging_user_id = ? AND is_primary")
)
