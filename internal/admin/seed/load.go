package seed

import (
	"context"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// batch is conversations that go in by one write.
type batch struct {
	set     *set
	scripts []*script
	taken   map[string]bool
	into    *bulkload.Batch
}

// save writes the batch whole: rows, counts, and one event per conversation.
func (b *batch) save(ctx context.Context, tx *store.Tx) (err error) {
	n := 0
	for _, s := range b.scripts {
		n += len(s.steps)
	}
	b.into, err = bulkload.New(ctx, tx, map[bulkload.Table]int{
		bulkload.Records: len(b.scripts), bulkload.Users: len(b.scripts), bulkload.Conversations: len(b.scripts), bulkload.Messages: n,
	})
	if err != nil {
		return err
	}
	if err := b.findTaken(ctx, tx); err != nil {
		return err
	}
	for _, s := range b.scripts {
		if err := b.play(s); err != nil {
			return err
		}
	}
	return b.into.Save(ctx, tx)
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

// play lets a script happen by the moves of a conversation, and adds its rows.
func (b *batch) play(s *script) error {
	address, err := b.address(s.number)
	if err != nil {
		return err
	}
	ch, began := s.line.channel, s.began()
	row := &conversation.Row{
		FirstSeq: 1,
		Key:      b.into.Key(bulkload.Conversations), ChannelID: ch.Key, MessagingUserID: b.into.Key(bulkload.Users), QueueID: ch.Queue,
		Title: s.name, Address: address, CreatedAt: began,
	}
	record := b.into.Key(bulkload.Records)
	if s.anchored {
		row.RecordID, row.Type = record, s.objectType
	}
	for _, step := range s.steps {
		b.perform(s, row, step)
	}
	b.into.Record(bulkload.Record{
		Key: record, ObjectType: s.objectType, ExternalID: b.set.externalID(s.number), Name: s.title, Mobile: address,
		OptedOut: s.consent == channel.OptOut, UpdatedAt: b.set.anchor,
	})
	b.into.User(bulkload.User{
		Key: row.MessagingUserID, Channel: ch.Key, Address: address, Received: address, Name: s.name, NamedBy: conversation.NamedByCarrier, Country: "US", Locale: "en-US",
		Consent: s.consent, CreatedAt: began,
	}, ch.Type)
	b.into.Conversation(row, ch.Type)
	return nil
}

func (s *script) began() clock.Time { return s.steps[0].at }

func (b *batch) perform(s *script, row *conversation.Row, step step) {
	switch step.act {
	case read:
		if row.ReadBelongsTo(step.by) {
			row.MarkRead(row.InboundCount)
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
	ch := s.line.channel
	m := bulkload.Message{
		Key: b.into.Key(bulkload.Messages), Conversation: row.Key, Channel: row.ChannelID, Seq: row.NextSeq(), Kind: content.Text, Source: content.Desk,
		Text: step.text, Author: step.by, At: step.at,
	}
	shown := conversation.Message{Key: m.Key, At: step.at, Preview: content.Preview(content.TextContent{Text: step.text})}
	switch step.act {
	case hear:
		row.Receive(shown, ch.SoleOwner())
		m.Direction, m.Source, m.Author = content.Inbound, content.Customer, 0
		m.Account, m.ProviderID, m.ProviderTime = ch.Account.ID, b.set.textID(s.number, m.Seq), step.at-2*second
	case note:
		m.Kind = content.Note
	case say:
		row.Send(shown, step.by, ch.SoleOwner(), row.InboundCount, false)
		m.Direction = content.Outbound
		m.Status, m.Code = b.attempt(s, &m, step)
	}
	m.Ordinal = row.InboundCount
	b.into.Message(m)
}

// attempt adds how an outbound message fared: most arrive, some are read, and of
// those that fail some were tried again.
func (b *batch) attempt(s *script, m *bulkload.Message, step step) (channel.Status, channel.ErrorCode) {
	const detail = "made by parley seed"
	id := b.set.textID(s.number, m.Seq)
	add := func(number int64, status channel.Status, code channel.ErrorCode, id string, after clock.Time) {
		words := ""
		if code != "" {
			words = detail
		}
		b.into.Attempt(bulkload.Attempt{
			Conversation: m.Conversation, Message: m.Key, Number: number, Status: status, Code: code, Detail: words,
			Account: s.line.channel.Account.ID, ProviderID: id, UpdatedAt: step.at + after, At: step.at + after/2,
		})
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
