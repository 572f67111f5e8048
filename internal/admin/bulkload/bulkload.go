// Package bulkload inserts whole conversations, thousands of rows in one write: rows
// with keys known beforehand, the standing counts, the search index, and one event for
// each conversation, which tells open streams about it. A conversation's own methods
// decide what it becomes; this package only turns it into rows.
//
// A Batch belongs to one run of one write. A write may run more than once, so each run
// makes its own batch.
package bulkload

import (
	"context"
	"fmt"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

// Table is one that rows go into.
type Table int

// The tables in the order in which rows go in, so that each finds those it refers to.
const (
	Records Table = iota
	Users
	Identifiers
	Conversations
	Participants
	Messages
	Attempts
	Lookups
)

var tables = []struct {
	name    string
	columns []string
}{
	{"records", []string{"id", "object_type", "external_id", "name", "mobile_number", "opted_out", "updated_at"}},
	{"messaging_users", []string{"id", "channel_id", "address", "name", "name_source", "country", "locale", "time_zone", "consent_status", "created_at"}},
	{"identifiers", []string{"channel_id", "messaging_user_id", "kind", "lookup", "display", "received", "is_primary", "created_at"}},
	{"conversations", conversation.Columns()},
	{"participants", []string{"conversation_id", "agent_id", "last_message_at"}},
	{"messages", []string{
		"id", "conversation_id", "seq", "direction", "kind", "source", "text", "template_type", "author_id", "status", "error_code",
		"inbound_ordinal", "provider_account_id", "provider_id", "provider_time", "created_at",
	}},
	{"attempts", []string{
		"conversation_id", "message_id", "number", "status", "error_code", "detail",
		"provider_account_id", "provider_id", "throttled", "updated_at", "created_at",
	}},
	{"lookups", []string{"record_id", "field", "target_id", "record_type"}},
}

// Names are those of the tables that a load fills, for store.Analyze.
func Names() []string {
	names := []string{"count_cells", "events"}
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

// Batch is rows that go in together.
type Batch struct {
	now    clock.Time
	keys   map[Table][]int64
	rows   [][][]any // by table
	events []feed.Event
	found  struct { // by search
		messages  []textindex.Message
		customers []textindex.Customer
	}
}

// New makes a batch with so many keys of each table.
func New(ctx context.Context, tx *store.Tx, keys map[Table]int) (*Batch, error) {
	b := &Batch{now: tx.Now, keys: map[Table][]int64{}, rows: make([][][]any, len(tables))}
	for table, n := range keys {
		reserved, err := tx.ReserveKeys(ctx, tables[table].name, n)
		if err != nil {
			return nil, fmt.Errorf("load: keys of %s: %w", tables[table].name, err)
		}
		b.keys[table] = reserved
	}
	return b, nil
}

// Key takes the next of the table's keys. Taking more than New was told of panics.
func (b *Batch) Key(t Table) int64 {
	key := b.keys[t][0]
	b.keys[t] = b.keys[t][1:]
	return key
}

func (b *Batch) add(t Table, values ...any) { b.rows[t] = append(b.rows[t], values) }

// Record is a row of the CRM.
type Record struct {
	Key                                  int64
	ObjectType, ExternalID, Name, Mobile string
	OptedOut                             bool
	UpdatedAt                            clock.Time
}

// Record adds a record.
func (b *Batch) Record(r Record) {
	b.add(Records, r.Key, r.ObjectType, r.ExternalID, r.Name, r.Mobile, r.OptedOut, int64(r.UpdatedAt))
}

// Lookup adds a field of a record of a type that references another, both there already.
func (b *Batch) Lookup(record int64, objectType, field string, target int64) {
	b.add(Lookups, record, field, target, objectType)
}

// User is one customer address on one channel.
type User struct {
	Key, Channel                   int64
	Address, Name, Country, Locale string
	Received                       string // the address as it came; "" when that is not known
	NamedBy                        conversation.NameSource
	Consent                        channel.Consent
	CreatedAt                      clock.Time
}

// User adds a messaging user, on a channel of type t.
func (b *Batch) User(u User, t channel.Type) {
	known := conversation.IdentifierOf(u.Address, u.Received, t)
	b.add(Identifiers, u.Channel, u.Key, string(known.StoredKind), known.Value, known.Value, known.Came, true, int64(u.CreatedAt))
	b.add(Users, u.Key, u.Channel, u.Address, u.Name, string(u.NamedBy), u.Country, u.Locale, "", string(u.Consent), int64(u.CreatedAt))
}

// Message is a message of a conversation. Zero and "" stand for none.
type Message struct {
	Key, Conversation, Seq int64
	Channel                int64 // the conversation's
	Direction              content.Direction
	Kind                   content.Kind
	Source                 content.Source
	Text                   string
	Author                 int64
	Status                 channel.Status
	Code                   channel.ErrorCode
	Ordinal                int64 // inbound messages of the conversation up to here
	Account                int64
	ProviderID             string // unique in the account
	ProviderTime, At       clock.Time
}

// Message adds a message.
func (b *Batch) Message(m Message) {
	var id any
	if m.ProviderID != "" {
		id = m.ProviderID
	}
	b.add(Messages, m.Key, m.Conversation, m.Seq, string(m.Direction), string(m.Kind), string(m.Source), m.Text, "", table.Nullable(m.Author),
		string(m.Status), string(m.Code), m.Ordinal, table.Nullable(m.Account), id, int64(m.ProviderTime), int64(m.At))
	b.found.messages = append(b.found.messages, textindex.Message{ID: m.Key, ConversationID: m.Conversation, ChannelID: m.Channel, At: m.At, Text: m.Text})
}

// Attempt is one attempt to send a message; those of a message are numbered from 1.
type Attempt struct {
	Conversation, Message, Number int64
	Status                        channel.Status
	Code                          channel.ErrorCode
	Detail                        string
	Account                       int64
	ProviderID                    string // "" for none
	UpdatedAt, At                 clock.Time
}

// Attempt adds an attempt.
func (b *Batch) Attempt(a Attempt) {
	var id any
	if a.ProviderID != "" {
		id = a.ProviderID
	}
	b.add(Attempts, a.Conversation, a.Message, a.Number, string(a.Status), string(a.Code), a.Detail, a.Account, id, int64(0),
		int64(a.UpdatedAt), int64(a.At))
}

// Conversation adds a conversation that is new, as its messages have left it, with
// its participants and its event. It is on a channel of type t.
func (b *Batch) Conversation(row *conversation.Row, t channel.Type) {
	b.add(Conversations, row.Begin(t, b.now)...)
	b.found.customers = append(b.found.customers, row.Found())
	for _, agent := range row.SentBy {
		b.add(Participants, row.Key, agent, int64(row.LastMessageAt))
	}
	b.events = append(b.events, feed.Event{Cause: feed.ConversationChanged, ConversationID: row.Key, After: row.Facts()})
}

// Save writes the batch in the transaction. It is called once.
func (b *Batch) Save(ctx context.Context, tx *store.Tx) error {
	for i, t := range tables {
		if err := tx.InsertRows(ctx, t.name, t.columns, b.rows[i]); err != nil {
			return err
		}
	}
	textindex.AddMessages(tx, b.found.messages...)
	textindex.SetCustomers(tx, b.found.customers...)
	for i := range b.events {
		if err := feed.Record(tx, &b.events[i]); err != nil {
			return err
		}
	}
	return nil
}
