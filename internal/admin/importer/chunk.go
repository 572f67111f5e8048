package importer

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// chunk is messages that go in by one run of one write.
type chunk struct {
	*importing
	desk *conversation.Service
	tx   *store.Tx

	customers map[customer]*known
	records   map[recordName]*knownRecord
	into      *bulkload.Batch
	tally     tally
	other     []differing
}

// tally counts what went in.
type tally struct {
	taken    [2]int64 // by side
	unknown  int64    // outbound whose status nobody knows
	unlinked int64    // outbound that name a record which is not there
	late     int64    // between what was there, and numbered behind it
}

// customer is an address on a channel.
type customer struct {
	channel int64
	address string
}

// known is a customer who is there, with their conversation, 0 for none.
type known struct {
	user, conversation int64
	name               string
}

// save adds what of the part is not there.
func (c *chunk) save(ctx context.Context, part []stagedMessage) error {
	db := database{c.tx.Query, c.tx.Builder()}
	part, other, err := c.missing(ctx, db, part)
	if err != nil {
		return err
	}
	c.other = other
	if c.options.Repair {
		if err := c.repair(ctx); err != nil {
			return err
		}
	}
	if len(part) == 0 {
		return nil
	}
	threads := threadsOf(part)
	if err := c.meet(ctx, db, threads); err != nil {
		return err
	}
	if c.records, err = recordsNamed(ctx, db, recordsOf(part)); err != nil {
		return err
	}
	c.into, err = bulkload.New(ctx, c.tx, map[bulkload.Table]int{
		bulkload.Users: len(threads), bulkload.Conversations: len(threads), bulkload.Messages: len(part),
	})
	if err != nil {
		return err
	}
	for _, thread := range threads {
		if err := c.thread(ctx, thread); err != nil {
			return err
		}
	}
	return c.into.Save(ctx, c.tx)
}

// threadsOf cuts a part into its conversations.
func threadsOf(part []stagedMessage) (threads [][]stagedMessage) {
	start := 0
	for i := range part {
		if part[i].conversation != part[start].conversation {
			threads = append(threads, part[start:i])
			start = i
		}
	}
	return append(threads, part[start:])
}

func recordsOf(part []stagedMessage) []recordName {
	seen := map[recordName]bool{}
	var names []recordName
	for i := range part {
		if name := part[i].record; name.externalID != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

func (c *chunk) customerOf(m *stagedMessage) customer {
	return customer{c.channels[m.channel].Key, m.address}
}

// meet finds the customers of the threads who are there.
func (c *chunk) meet(ctx context.Context, db database, threads [][]stagedMessage) error {
	wanted := make([]customer, len(threads))
	for i, thread := range threads {
		wanted[i] = c.customerOf(&thread[0])
	}
	var err error
	c.customers, err = findCustomers(ctx, db, wanted)
	return err
}

// findCustomers finds those of the wanted who are there.
func findCustomers(ctx context.Context, db database, wanted []customer) (map[customer]*known, error) {
	found := map[customer]*known{}
	asked := make(map[customer]bool, len(wanted))
	addresses := make([]any, len(wanted))
	for i, w := range wanted {
		asked[w], addresses[i] = true, w.address
	}
	u, c := entsql.Table("messaging_users").As("u"), entsql.Table("conversations").As("c")
	for start := 0; start < len(addresses); start += mostKeys {
		current := entsql.Raw("COALESCE(c.merged_into, c.id)") // whom they were merged into goes on
		q := db.sql.SelectExpr(entsql.Raw("u.id"), entsql.Raw("u.channel_id"), entsql.Raw("u.address"), entsql.Raw("u.name"), current).From(u).
			LeftJoin(c).On(c.C("messaging_user_id"), u.C("id")).
			Where(entsql.In(u.C("address"), addresses[start:min(start+mostKeys, len(addresses))]...))
		err := db.query(ctx, q, func(rows *sql.Rows) error {
			k, who, conversation := &known{}, customer{}, sql.NullInt64{}
			err := rows.Scan(&k.user, &who.channel, &who.address, &k.name, &conversation)
			if k.conversation = conversation.Int64; asked[who] {
				found[who] = k
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// thread adds messages of one conversation, which it makes or goes on with.
func (c *chunk) thread(ctx context.Context, thread []stagedMessage) error {
	there := c.customers[c.customerOf(&thread[0])]
	if there == nil || there.conversation == 0 {
		c.begin(thread, there)
		return nil
	}
	row, err := c.desk.LoadCurrent(ctx, c.tx, there.conversation)
	if err != nil {
		return err
	}
	if thread[0].firstAt == 0 && thread[0].conversation != c.begun { // it was not there when the files were read
		if err := c.arrange(ctx, there.conversation, thread); err != nil {
			return err
		}
	}
	older := 0
	for older < len(thread) && thread[older].precedes() {
		older++
	}
	return c.desk.Apply(ctx, c.tx, row, func(ctx context.Context, _ *conversation.Row) (feed.Event, error) {
		if err := c.precede(ctx, row, thread[:older]); err != nil {
			return feed.Event{}, err
		}
		c.play(row, thread[older:])
		return feed.Event{Cause: feed.HistoryAdded}, nil
	})
}

// arrange puts messages in the order in which they go into a conversation that began
// meanwhile: what precedes it from the newest back, then the others.
func (c *chunk) arrange(ctx context.Context, conversation int64, thread []stagedMessage) error {
	db := database{c.tx.Query, c.tx.Builder()}
	err := c.endsOf(ctx, db, []any{conversation}, func(_ int64, e ends) error {
		for i := range thread {
			thread[i].ends = e
		}
		return nil
	})
	before := slices.IndexFunc(thread, func(s stagedMessage) bool { return !s.precedes() })
	if before < 0 {
		before = len(thread)
	}
	slices.Reverse(thread[:before])
	return err
}

// firstOf reads which inbound ordinal the first message of a conversation has.
var firstOf = store.Fixed("SELECT inbound_ordinal, direction FROM messages WHERE conversation_id = ? AND seq = ?")

// precede puts messages, from the newest back, in front of their conversation. What
// was unread and new there stays so, and no more.
func (c *chunk) precede(ctx context.Context, row *conversation.Row, older []stagedMessage) error {
	if len(older) == 0 {
		return nil
	}
	var ordinal int64 // inbounds up to where the next one goes
	err := c.tx.Query(ctx, firstOf.With(row.Key, row.FirstSeq), func(rows *sql.Rows) error {
		var d content.Direction
		err := rows.Scan(&ordinal, &d)
		if d == content.Inbound {
			ordinal--
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range older {
		s := &older[i]
		m, shown := c.message(row, s, row.Precede())
		m.Ordinal = ordinal
		if s.side == incoming {
			ordinal--
			row.ReceivedBefore(s.at)
		} else {
			c.send(row, s, &m, shown, 0)
		}
		c.add(m, s)
	}
	return nil
}

func (c *chunk) begin(thread []stagedMessage, there *known) {
	first := &thread[0]
	ch := c.channels[first.channel]
	row := &conversation.Row{
		FirstSeq: 1, Key: c.into.Key(bulkload.Conversations), ChannelID: ch.Key, QueueID: ch.Queue, Address: first.address, CreatedAt: first.at,
	}
	if there != nil {
		row.MessagingUserID, row.Title = there.user, there.name
	} else {
		row.MessagingUserID = c.into.Key(bulkload.Users)
	}
	c.play(row, thread)
	if there == nil {
		c.into.User(bulkload.User{
			Key: row.MessagingUserID, Channel: ch.Key, Address: row.Address, Received: first.written, Name: row.Title, NamedBy: conversation.NamedByRecord.Of(row.Title), Country: first.country,
			Consent: channel.ImplicitOptIn, CreatedAt: row.CreatedAt,
		}, ch.Type)
	}
	c.into.Conversation(row, ch.Type)
}

// play lets the messages happen to their conversation, and adds them.
func (c *chunk) play(row *conversation.Row, thread []stagedMessage) {
	for i := range thread {
		s := &thread[i]
		soleOwner := c.channels[s.channel].SoleOwner()
		m, shown := c.message(row, s, row.NextSeq())
		if s.side == incoming {
			row.ReceivePast(shown, soleOwner, c.options.MarkRead)
		} else {
			c.send(row, s, &m, shown, soleOwner)
		}
		m.Ordinal = row.Ordinal()
		c.add(m, s)
	}
}

// message is what becomes of a staged one, with its number.
func (c *chunk) message(row *conversation.Row, s *stagedMessage, seq int64) (bulkload.Message, conversation.Message) {
	m := bulkload.Message{
		Key: c.into.Key(bulkload.Messages), Conversation: row.Key, Channel: row.ChannelID, Seq: seq, Kind: content.Text, Text: s.text,
		Direction: content.Inbound, Source: content.Customer,
		Account: c.account, ProviderID: s.id(), ProviderTime: s.at, At: s.at,
	}
	return m, conversation.Message{Key: m.Key, At: s.at, Preview: content.Preview(content.TextContent{Text: s.text})}
}

func (c *chunk) add(m bulkload.Message, s *stagedMessage) {
	c.into.Message(m)
	c.tally.taken[s.side]++
	if s.late() {
		c.tally.late++
	}
}

// send is play for an outbound message. What nobody knows the outcome of is
// UNKNOWN: no job is made for it, and nothing looks for it to send it.
func (c *chunk) send(row *conversation.Row, s *stagedMessage, m *bulkload.Message, shown conversation.Message, soleOwner int64) {
	m.Direction, m.Source, m.Author, m.Status = content.Outbound, content.Automation, c.agents[s.agent], statusOf(s.status)
	if m.Author != 0 {
		m.Source = content.Desk
	}
	latest := s.at >= row.LastMessageAt
	row.SendPast(shown, m.Author, soleOwner)
	if record := c.records[s.record]; record != nil && (latest || row.RecordID == 0) {
		row.Anchor(&record.Record)
	} else if record == nil && s.record.externalID != "" {
		c.tally.unlinked++
	}
	detail := ""
	if m.Status == channel.Unsettled {
		c.tally.unknown++
		detail = "imported with the status " + s.status
	}
	c.into.Attempt(bulkload.Attempt{
		Conversation: m.Conversation, Message: m.Key, Number: 1, Status: m.Status, Detail: detail, Account: c.account,
		UpdatedAt: s.at, At: s.at,
	})
}

// statusOf reads a status; one that says that a message is on its way, or that
// means nothing here, is UNKNOWN.
func statusOf(written string) channel.Status {
	switch strings.ToLower(written) {
	case "sent":
		return channel.Sent
	case "delivered":
		return channel.Delivered
	case "read", "seen":
		return channel.Read
	case "failed", "undelivered", "error", "rejected":
		return channel.Failed
	}
	return channel.Unsettled
}
