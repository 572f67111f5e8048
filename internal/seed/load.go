package seed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/conversation"
	"parley/internal/feed"
	"parley/internal/search/index"
	"parley/internal/store"
)

// tables of a set in the order in which rows must go in, with their columns.
var tables = []struct {
	name    string
	columns []string
}{
	{"records", []string{"id", "object_type", "external_id", "name", "mobile_number", "opted_out", "updated_at"}},
	{"messaging_users", []string{"id", "channel_id", "address", "name", "country", "locale", "consent_status", "created_at"}},
	{"conversations", []string{
		"id", "channel_id", "messaging_user_id", "record_id", "owner_id", "queue_id", "object_type", "assigned",
		"name", "address", "preview", "last_message_at", "last_message_id", "last_direction", "last_incoming_at",
		"is_unread", "inbound_count", "read_count", "last_seq", "sent_by", "created_at",
	}},
	{"participants", []string{"conversation_id", "agent_id", "last_message_at"}},
	{"messages", []string{
		"id", "conversation_id", "seq", "direction", "kind", "source", "text", "template_type", "author_id", "status", "error_code",
		"inbound_ordinal", "provider_account_id", "provider_id", "provider_time", "created_at",
	}},
	{"attempts", []string{
		"conversation_id", "message_id", "number", "status", "error_code", "detail",
		"provider_account_id", "provider_id", "throttled", "updated_at", "created_at",
	}},
}

// Positions in tables.
const (
	records = iota
	users
	conversations
	participants
	messages
	attempts
)

// batch is conversations that go in by one write.
type batch struct {
	set     *set
	scripts []*script
	rows    [][][]any // by table
	taken   map[string]bool
	keys    map[int][]int64 // reserved, by table
	events  []feed.Event
	found   struct { // by search
		messages  []index.Message
		customers []index.Customer
	}
}

// save writes the batch whole: rows, counts, and one event per conversation, by
// which streams that are open learn of it.
func (b *batch) save(ctx context.Context, tx *store.Tx) error {
	b.rows, b.events = make([][][]any, len(tables)), nil
	b.found.messages, b.found.customers = nil, nil
	if err := b.reserve(ctx, tx); err != nil {
		return err
	}
	for i, s := range b.scripts {
		if err := b.play(s, i); err != nil {
			return err
		}
	}
	for i, t := range tables {
		if err := tx.InsertRows(ctx, t.name, t.columns, b.rows[i]); err != nil {
			return err
		}
	}
	index.AddMessages(tx, b.found.messages...)
	index.SetCustomers(tx, b.found.customers...)
	for i := range b.events {
		if err := feed.Record(tx, &b.events[i]); err != nil {
			return err
		}
	}
	return nil
}

// reserve takes the keys and finds the addresses that others have already.
func (b *batch) reserve(ctx context.Context, tx *store.Tx) (err error) {
	n := 0
	for _, s := range b.scripts {
		n += len(s.steps)
	}
	b.keys = map[int][]int64{}
	for table, count := range map[int]int{
		records: len(b.scripts), users: len(b.scripts), conversations: len(b.scripts), messages: n,
	} {
		if b.keys[table], err = tx.ReserveKeys(ctx, tables[table].name, count); err != nil {
			return err
		}
	}
	return b.findTaken(ctx, tx)
}

// alternatives are the numbers that conversation i may get: the first that is
// free. Sets with the same beginning meet here, and customers who wrote in.
const alternatives, stride = 4, 1 << 20

func (b *batch) findTaken(ctx context.Context, tx *store.Tx) error {
	const most = 500
	b.taken = map[string]bool{}
	var all []any
	for _, s := range b.scripts {
		for k := range alternatives {
			all = append(all, b.set.number(s.number+k*stride))
		}
	}
	for start := 0; start < len(all); start += most {
		q := tx.Builder().Select("address").From(entsql.Table("messaging_users")).
			Where(entsql.In("address", all[start:min(start+most, len(all))]...))
		err := tx.Query(ctx, q, func(rows *sql.Rows) error {
			var address string
			err := rows.Scan(&address)
			b.taken[address] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) address(i int) (string, error) {
	for k := range alternatives {
		if a := b.set.number(i + k*stride); !b.taken[a] {
			return a, nil
		}
	}
	return "", fmt.Errorf("seed: the numbers of conversation %d are all taken; seed into a fresh database", i)
}

func (b *batch) add(table int, values ...any) { b.rows[table] = append(b.rows[table], values) }

// play lets a script happen by the moves of a conversation, and adds its rows.
func (b *batch) play(s *script, i int) error {
	address, err := b.address(s.number)
	if err != nil {
		return err
	}
	ch, began := s.line.channel, s.began()
	row := &conversation.Row{
		Key: b.keys[conversations][i], ChannelID: ch.Key, UserID: b.keys[users][i], QueueID: ch.Queue,
		Title: s.name, Address: address, CreatedAt: began,
	}
	record := b.keys[records][i]
	if s.anchored {
		row.RecordID, row.Type = record, s.objectType
	}
	for _, step := range s.steps {
		b.perform(s, row, step)
	}
	b.add(records, record, s.objectType, b.set.externalID(s.number), s.title, address, s.consent == channel.OptOut, int64(b.set.anchor))
	b.add(users, row.UserID, ch.Key, address, s.name, "US", "en-US", string(s.consent), int64(began))
	b.events = append(b.events, feed.Event{Cause: feed.ConversationChanged, ConversationID: row.Key, After: row.Facts()})
	return b.keep(row)
}

func (s *script) began() clock.Time { return s.steps[0].at }

func (b *batch) perform(s *script, row *conversation.Row, step step) {
	switch step.act {
	case read:
		if row.ReadBelongsTo(step.by) {
			row.MarkRead(row.Inbound)
		}
	case unread:
		row.MarkUnread()
	case assign:
		row.Assign(step.by)
	default:
		b.write(s, row, step)
	}
}

// write adds a message and what it does to its conversation.
func (b *batch) write(s *script, row *conversation.Row, step step) {
	key := b.keys[messages][0]
	b.keys[messages] = b.keys[messages][1:]
	m := conversation.Message{Key: key, At: step.at, Preview: content.Preview(content.TextContent{Text: step.text})}
	b.found.messages = append(b.found.messages, index.Message{ID: key, ConversationID: row.Key, At: step.at, Text: step.text})
	ch, seq := s.line.channel, row.NextSeq()
	switch step.act {
	case hear:
		row.Receive(m, ch.SoleOwner())
		b.add(messages, key, row.Key, seq, string(content.Inbound), string(content.Text), string(content.Customer), step.text, "", nil, "", "",
			row.Inbound, ch.Account.ID, b.set.textID(s.number, seq), int64(step.at-2*second), int64(step.at))
	case note:
		b.add(messages, key, row.Key, seq, "", string(content.Note), string(content.Desk), step.text, "", step.by, "", "",
			row.Inbound, nil, nil, int64(0), int64(step.at))
	case say:
		row.Send(m, step.by, ch.SoleOwner(), false)
		status, code := b.attempt(s, row, step, key, seq)
		b.add(messages, key, row.Key, seq, string(content.Outbound), string(content.Text), string(content.Desk), step.text, "", step.by,
			string(status), string(code), row.Inbound, nil, nil, int64(0), int64(step.at))
	}
}

// attempt adds how an outbound message fared: most arrive, some are read, and of
// those that fail some were tried again.
func (b *batch) attempt(s *script, row *conversation.Row, step step, message, seq int64) (channel.Status, channel.ErrorCode) {
	const detail = "made by parley seed"
	account, id := s.line.channel.Account.ID, b.set.textID(s.number, seq)
	add := func(number int64, status channel.Status, code channel.ErrorCode, id string, after clock.Time) {
		words := ""
		if code != "" {
			words = detail
		}
		b.add(attempts, row.Key, message, number, string(status), string(code), words, account, id, int64(0),
			int64(step.at+after), int64(step.at+after/2))
	}
	wait := clock.Time(1+step.fate%8) * second
	switch {
	case step.fate < 15:
		add(1, channel.Failed, channel.CarrierBlocks, id, wait)
		add(2, channel.Delivered, "", id[:len(id)-8]+"ffffffff", wait+20*second)
		return channel.Delivered, ""
	case step.fate < 40:
		code := failures[step.fate%len(failures)]
		add(1, channel.Failed, code, id, wait)
		return channel.Failed, code
	case step.fate < 160:
		add(1, channel.Read, "", id, wait)
		return channel.Read, ""
	}
	add(1, channel.Delivered, "", id, wait)
	return channel.Delivered, ""
}

var failures = []channel.ErrorCode{channel.BadDestination, channel.CarrierBlocks, channel.FlaggedAsSpam}

// keep adds the rows of a conversation as its script left it.
func (b *batch) keep(row *conversation.Row) error {
	var sentBy any
	if len(row.SentBy) > 0 {
		list, err := json.Marshal(row.SentBy)
		if err != nil {
			return err
		}
		sentBy = string(list)
	}
	b.add(conversations, row.Key, row.ChannelID, row.UserID, nullable(row.RecordID), nullable(row.OwnerID), nullable(row.QueueID), row.Type,
		row.Assigned, row.Title, row.Address, row.Preview, int64(row.LastMessageAt), row.LastMessageID, string(row.LastDirection),
		int64(row.LastIncoming), row.IsUnread, row.Inbound, row.Read, row.LastSeq, sentBy, int64(row.CreatedAt))
	b.found.customers = append(b.found.customers, index.Customer{ConversationID: row.Key, Name: row.Title, Address: row.Address})
	for _, agent := range row.SentBy {
		b.add(participants, row.Key, agent, int64(row.LastMessageAt))
	}
	return nil
}

func nullable(key int64) any {
	if key == 0 {
		return nil
	}
	return key
}
