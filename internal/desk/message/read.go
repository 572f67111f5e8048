package message

import (
	"context"
	"database/sql"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/anyof"
	"parley/internal/ground/page"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// inHand reads what belongs to conversations that the viewer has seen. atWork reads for the lanes.
const (
	inHand = store.System("part of conversations in hand")
	atWork = store.System("lanes that work is left in")
	// Administrators are told how much, not what or of whom.
	counted = store.System("what accounts have not sent")
)

// Window asks for a page of a thread. Numbers are dense, so a page is a range of
// numbers: no page reads more of the thread than it returns.
type Window = page.Window

// Page is a page of one conversation's messages, oldest first.
type Page struct {
	page.Page[*Row]
	TotalCount int64
}

// Edge is a message in a page.
type Edge = page.Edge[*Row]

// bounds returns the range of numbers that the window means in a thread of those from
// first to last; at is the number in its cursor, if it has one.
func bounds(w Window, at, first, last int64) (from, to int64) {
	size := int64(w.Size)
	if w.Backward {
		if w.Cursor == "" {
			at = last + 1
		}
		at = min(max(at, first), last+1)
		return max(first, at-size), at - 1
	}
	if w.Cursor == "" {
		at = first - 1
	}
	at = min(max(at, first-1), last)
	return at + 1, min(last, at+size)
}

// Reader reads messages under the viewer of the context. All fields are required.
type Reader struct {
	Store         *store.Store
	Cursors       *feed.Cursors
	Conversations *conversation.Service
}

// Pages reads the same window of many conversations, in one statement; in two more when
// others are merged into any of them. The conversations must have been read under the
// viewer. Fields of columns that are not asked for are zero and must not be read.
func (m Reader) Pages(ctx context.Context, of []*conversation.Row, w Window, columns table.Columns) ([]*Page, error) {
	at, err := m.place(w)
	if err != nil {
		return nil, err
	}
	threads, err := m.threads(ctx, of)
	if err != nil {
		return nil, err
	}
	pages, own, earlier := make([]*Page, len(of)), newWanted(len(of)), newWanted(0)
	byConversation := make(map[int64]*Page, len(of))
	for i, c := range of {
		if pages[i] = byConversation[c.Key]; pages[i] != nil {
			continue
		}
		t := threads[i]
		from, to := bounds(w, t.index(at, w.Backward), 1, t.total())
		pages[i] = &Page{page.Page[*Row]{HasNextPage: to < t.total(), HasPreviousPage: from > 1}, t.total()}
		byConversation[c.Key] = pages[i]
		t.want(from, to, pages[i], earlier, own)
	}
	columns = orListed(columns).And(placed)
	for _, part := range []*wanted{earlier, own} { // the earlier come first
		if err := m.fetch(ctx, part, columns, part == earlier); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// fetch reads the messages that are wanted into their pages.
func (m Reader) fetch(ctx context.Context, w *wanted, columns table.Columns, earlier bool) error {
	if len(w.ranges) == 0 {
		return nil
	}
	return m.Store.Each(ctx, inHand, rangeQuery{m.Store.Dialect(), w.ranges, columns}, func(s *store.Row) error {
		r := read(m.Conversations, s, 0, columns)
		r.earlier = earlier
		p := w.pages[r.ConversationID]
		p.Nodes = append(p.Nodes, r)
		return nil
	})
}

// rangeQuery reads ranges of numbers of conversations, by the index on
// (conversation_id, seq).
type rangeQuery struct {
	dialect string
	ranges  [][3]int64
	columns table.Columns
}

// Query implements store.Query.
func (q rangeQuery) Query() (string, []any) {
	b := &entsql.Builder{}
	b.SetDialect(q.dialect)
	b.WriteString("WITH r(conversation_id, first, last) AS (VALUES ")
	for i, r := range q.ranges {
		if i > 0 {
			b.Comma()
		}
		b.WriteString("(").Join(entsql.ExprFunc(func(b *entsql.Builder) { castArgs(b, q.dialect, r[:]) })).WriteString(")")
	}
	b.WriteString(") SELECT ")
	b.WriteString(strings.Join(messages.Select("m", q.columns), ", "))
	b.WriteString(" FROM r JOIN messages AS m ON m.conversation_id = r.conversation_id AND m.seq BETWEEN r.first AND r.last " +
		"ORDER BY m.conversation_id, m.seq")
	return b.Query()
}

// castArgs tells PostgreSQL the type of bare parameters.
func castArgs(b *entsql.Builder, d string, args []int64) {
	for i, a := range args {
		if i > 0 {
			b.Comma()
		}
		b.Arg(a)
		if d == dialect.Postgres {
			b.WriteString("::bigint")
		}
	}
}

// ByKey reads messages by key, as far as the viewer sees their conversations, in
// one statement: of texts the beginning.
func (m Reader) ByKey(ctx context.Context, keys []int64) (map[int64]*Row, error) {
	return m.byKey(ctx, keys, listed)
}

// Whole reads like ByKey, with whole texts.
func (m Reader) Whole(ctx context.Context, keys []int64) (map[int64]*Row, error) {
	return m.byKey(ctx, keys, whole)
}

func (m Reader) byKey(ctx context.Context, keys []int64, columns table.Columns) (map[int64]*Row, error) {
	t := entsql.Table("messages").As("m")
	q := m.Store.Builder().SelectExpr(entsql.Expr(strings.Join(messages.Select("m", columns), ", "))).From(t).Where(entsql.In(t.C("id"), anyof.Args(keys)...))
	if sight := rule.Visible(viewer.FromContext(ctx)); !sight.All() {
		c := entsql.Table("conversations").As("c")
		q.Join(c).On(t.C("conversation_id"), c.C("id"))
		sight.Narrow(q, c)
	}
	out := make(map[int64]*Row, len(keys))
	err := m.Store.Each(ctx, inHand, q, func(s *store.Row) error {
		r := read(m.Conversations, s, 0, columns)
		out[r.Key] = r
		return nil
	})
	return out, err
}

// load reads a message as the write has left it.
func (m Reader) load(ctx context.Context, tx *store.Tx, key int64) (r *Row, err error) {
	q := tx.Builder().Select(messages.Names(whole)...).From(entsql.Table("messages")).Where(entsql.EQ("id", key))
	err = tx.Query(ctx, q, func(rows *sql.Rows) error {
		return store.ScanRow(rows, func(s *store.Row) error {
			r = read(m.Conversations, s, 0, whole)
			return nil
		})
	})
	return r, err
}

var slabs store.Slabs[Row]

// Along reads the last message with each conversation of a page. Until takes what
// to call when nobody looks at them any more; nil where they are kept.
func (m Reader) Along(columns table.Columns, until func(done func())) *conversation.Alongside {
	columns = orListed(columns)
	slab := slabs.Slab(until)
	return &conversation.Alongside{
		Table: "messages", On: "last_message_id", Columns: func(x string) []string { return messages.Select(x, columns) },
		Read: func(c *conversation.Row, s *store.Row, i int) (any, error) {
			r := slab.Next()
			r.service = m.Conversations
			r.read(s, i, columns)
			r.ConversationID, c.LastMessageID = c.Key, r.Key
			return r, nil
		},
	}
}

// Last gives the last message of each conversation, nil where there is none:
// what Along read, and the rest in one statement, with these columns. The
// conversations must have been read under the viewer.
func (m Reader) Last(ctx context.Context, of []*conversation.Row, columns table.Columns) ([]*Row, error) {
	out := make([]*Row, len(of))
	var keys []int64
	for i, c := range of {
		if r, ok := c.Along.(*Row); ok {
			out[i] = r
		} else if c.LastMessageID != 0 {
			keys = append(keys, c.LastMessageID)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	found, err := m.byKey(viewer.AsSystem(ctx, "edge"), keys, orListed(columns))
	for i, c := range of {
		if out[i] == nil {
			out[i] = found[c.LastMessageID]
		}
	}
	return out, err
}

// Attempts reads the attempts of many messages in one statement. The messages
// must have been read under the viewer.
func (m Reader) Attempts(ctx context.Context, of []*Row) ([][]*Attempt, error) {
	var keys []int64
	for _, r := range of {
		if r.status != "" {
			keys = append(keys, r.Key)
		}
	}
	byMessage := map[int64][]*Attempt{}
	if len(keys) > 0 {
		q := m.Store.Builder().Select("message_id", "number", "status", "error_code", "created_at", "updated_at").
			From(entsql.Table("attempts")).Where(entsql.In("message_id", anyof.Args(keys)...)).OrderBy("message_id", "number")
		err := m.Store.Read(ctx, inHand, q, func(rows *sql.Rows) error {
			a, message := &Attempt{}, int64(0)
			err := rows.Scan(&message, &a.Number, &a.Status, &a.code, &a.CreatedAt, &a.UpdatedAt)
			a.Status = a.Status.Shown()
			byMessage[message] = append(byMessage[message], a)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([][]*Attempt, len(of))
	for i, r := range of {
		out[i] = byMessage[r.Key]
	}
	return out, nil
}

// Unsent counts the messages that wait to be sent from a channel, or are being sent.
func Unsent(ctx context.Context, tx *store.Tx, channel int64) (n int64, err error) {
	a, c := entsql.Table("attempts").As("a"), entsql.Table("conversations").As("c")
	q := tx.Builder().Select(entsql.Count("*")).From(a).Join(c).On(a.C("conversation_id"), c.C("id")).
		Where(entsql.And(inLane(a), entsql.EQ(c.C("channel_id"), channel)))
	err = tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}
