package conversation

import (
	"context"
	"database/sql"
	"strings"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

// Customer is who a conversation is with, as far as it is known when it begins.
type Customer struct {
	Address  string
	Received string // the address as it came; empty when that is not known
	Name     string
	NamedBy  NameSource // of the name, if there is one
	Country  string
	Record   *Record // anchor, nil when none is known
}

// made is the statement that makes the messaging user of a customer.
func (c *Customer) made(channelKey int64, now clock.Time) store.Query {
	return makeUser.With(channelKey, c.Address, c.Name, string(c.NamedBy.Of(c.Name)), c.Country, string(startingConsent), int64(now))
}

// Ensure finds or makes the messaging user and the conversation of a customer on
// a channel, and locks the conversation: in one statement when nothing is to be
// written, else in three more. A conversation made here has no number yet: the first
// message that is added begins it. A customer who was merged into another gets, in two
// statements more, the other and their conversation.
func (d *Service) Ensure(ctx context.Context, tx *store.Tx, channelKey int64, c Customer) (*Row, *MessagingUser, error) {
	row, user, err := d.known(ctx, tx, channelKey, c)
	if err != nil || row != nil {
		return d.unmerged(ctx, tx, row, user, err)
	}
	err = one(ctx, tx, c.made(channelKey, tx.Now), func(s *store.Row) {
		user = d.readUser(s)
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(ctx, d.identify(channelKey, user.Key, c, tx.Now)); err != nil {
		return nil, nil, err
	}
	row = &Row{
		ChannelID: channelKey, MessagingUserID: user.Key, QueueID: d.Directory.Channel(channelKey).Queue,
		Title: user.Name, Address: c.Address, FirstSeq: 1, CreatedAt: tx.Now, heard: user.Name, service: d,
	}
	if c.Record != nil {
		row.RecordID, row.Type = c.Record.Key, c.Record.ObjectType
	}
	err = one(ctx, tx, makeConversation.With(conversations.Values(row, keyless)...), func(s *store.Row) {
		conversations.Read(row, s, 0, table.Columns{}) // another write may have made it
	})
	return d.unmerged(ctx, tx, row, user, err)
}

// EnsureUser finds or makes the messaging user of a customer on a channel, without a
// conversation, and reports whether it was made.
func (d *Service) EnsureUser(ctx context.Context, tx *store.Tx, channelKey int64, c Customer) (key int64, made bool, err error) {
	err = tx.Query(ctx, findUser.With(channelKey, c.Address), func(rows *sql.Rows) error { return rows.Scan(&key) })
	if err != nil || key != 0 {
		return key, false, err
	}
	var user *MessagingUser
	err = one(ctx, tx, c.made(channelKey, tx.Now), func(s *store.Row) {
		user = d.readUser(s)
	})
	if err != nil {
		return 0, false, err
	}
	_, err = tx.Exec(ctx, d.identify(channelKey, user.Key, c, tx.Now))
	return user.Key, true, err
}

// ThreadOf loads and locks the conversation of a messaging user, whoever may see it; nil
// where there is none, or none that began.
func (d *Service) ThreadOf(ctx context.Context, tx *store.Tx, user int64) (row *Row, err error) {
	err = tx.Query(ctx, threadOf.With(user), func(rows *sql.Rows) (err error) {
		row, err = d.scan(rows)
		return err
	})
	if err != nil || row == nil || row.LastSeq == 0 {
		return nil, err
	}
	return row, nil
}

// unmerged gives in place of a customer who was merged into another, and of their
// conversation, those that they were merged into.
func (d *Service) unmerged(ctx context.Context, tx *store.Tx, row *Row, user *MessagingUser, err error) (*Row, *MessagingUser, error) {
	if err != nil || row.MergedInto == 0 {
		return row, user, err
	}
	if row, err = d.current(ctx, tx, row.MergedInto); err != nil {
		return nil, nil, err
	}
	err = one(ctx, tx, readUser.With(row.MessagingUserID), func(s *store.Row) { user = d.readUser(s) })
	row.heard = user.Name
	return row, user, err
}

// known finds and locks what is there, unless the customer's name is to be learnt.
func (d *Service) known(ctx context.Context, tx *store.Tx, channelKey int64, c Customer) (row *Row, user *MessagingUser, err error) {
	err = one(ctx, tx, findKnown.With(channelKey, c.Address), func(s *store.Row) {
		user = d.readUser(s)
		row = &Row{heard: user.Name, service: d} // Apply gives it the name when it has none
		conversations.Read(row, s, len(userColumns), table.Columns{})
	})
	if row != nil && user.Name == "" && c.Name != "" {
		return nil, nil, err
	}
	return row, user, err
}

// one reads the row of a statement that has one or none.
func one(ctx context.Context, tx *store.Tx, q store.Query, read func(*store.Row)) error {
	return tx.Query(ctx, q, func(rows *sql.Rows) error {
		return store.ScanRow(rows, func(s *store.Row) error {
			read(s)
			return nil
		})
	})
}

// An update on conflict makes the statement return the row that is there, locked; a
// customer takes the name that came with a message when none is known.
var (
	findKnown = store.Locking("SELECT u."+strings.Join(userColumns, ", u.")+", c."+strings.Join(columns, ", c.")+
		" FROM identifiers AS i JOIN messaging_users AS u ON u.id = i.messaging_user_id JOIN conversations AS c ON c.messaging_user_id = u.id"+
		" WHERE i.channel_id = ? AND i.lookup = ?", "c")
	findUser = store.Fixed(`SELECT COALESCE(u.merged_into, u.id) FROM identifiers AS i JOIN messaging_users AS u ON u.id = i.messaging_user_id
		WHERE i.channel_id = ? AND i.lookup = ?`)
	threadOf = store.Locking("SELECT "+strings.Join(columns, ", ")+" FROM conversations WHERE messaging_user_id = ?", "conversations")
	readUser = store.Fixed("SELECT " + strings.Join(userColumns, ", ") + " FROM messaging_users WHERE id = ?")
	makeUser = store.Fixed(`INSERT INTO messaging_users (channel_id, address, name, name_source, country, consent_status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (channel_id, address) DO UPDATE SET name = CASE WHEN messaging_users.name = '' THEN excluded.name ELSE messaging_users.name END,
			name_source = CASE WHEN messaging_users.name = '' THEN excluded.name_source ELSE messaging_users.name_source END
		RETURNING ` + strings.Join(userColumns, ", "))
	makeConversation = store.Fixed(conversations.Insert(keyless) +
		" ON CONFLICT (messaging_user_id) DO UPDATE SET messaging_user_id = conversations.messaging_user_id RETURNING " + strings.Join(columns, ", "))

	keyless = conversations.Stored().Without(conversations.Only("id"))
)
