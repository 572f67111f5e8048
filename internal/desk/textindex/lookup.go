package textindex

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/word"
)

// Index reads what is served.
type Index struct {
	State
	store   *store.Store
	serving generation
}

// Open reads where the index stands. What is read through it holds as long as
// Current says so.
func Open(ctx context.Context, s *store.Store) (*Index, error) {
	state, err := ReadState(ctx, From(s))
	return &Index{state, s, state.generation(state.Serving)}, err
}

// Current reports whether the generation is still served: one that is not may
// be emptied.
func (x *Index) Current(ctx context.Context) (bool, error) {
	state, err := ReadState(ctx, From(x.store))
	return state.Serving == x.Serving, err
}

// Stretch is a stretch of time that is looked into at once: from its first spot up to
// that of the next.
type Stretch struct {
	id   int64
	From Spot
}

// Stretches are all that there are, newest first: eras when some channels are looked
// at, buckets for all of them. The last begins with spot 0.
func (x *Index) Stretches(ctx context.Context, channels []int64) ([]Stretch, error) {
	buckets, err := x.serving.Buckets(ctx, From(x.store))
	var out []Stretch
	for _, b := range append(buckets, Bucket{}) {
		switch n := len(out); {
		case channels == nil:
			out = append(out, Stretch{b.ID, b.From})
		case n > 0 && out[n-1].id == b.era:
			out[n-1].From = b.From
		default:
			out = append(out, Stretch{b.era, b.From})
		}
	}
	return out, err
}

// Place is where a message stands: in order of spots, and of keys where two
// share one.
type Place struct {
	Spot    Spot
	Message int64
}

// Before reports whether p is older than q.
func (p Place) Before(q Place) bool {
	return p.Spot < q.Spot || p.Spot == q.Spot && p.Message < q.Message
}

// Found is a message that has the words asked for, as far as the index knows.
type Found struct {
	Place
	// Conversation is the message's, or the one that this was merged into.
	Conversation int64
	// InView says that the conversation satisfies Lookup.View.
	InView bool
	Text   string // of what is in the view
}

// Condition is a condition on conversations under a name; nil, or one that returns nil,
// for none.
type Condition func(table string) *entsql.Predicate

func (c Condition) isNone() bool { return c == nil || c("c") == nil }

// Lookup is what is looked for in texts.
type Lookup struct {
	Tokens    []word.Token
	Channels  []int64   // on which; nil for all
	Stretches []Stretch // in which: some in a row of those there are for the channels
	Before    Place     // only what is older
	// What is not seen is left out of the result; what is not in the view is in it,
	// without its text.
	Seen, View Condition
	Most       int // how many messages to return, at most
}

// shared bounds how many messages share a spot: their keys are two million apart
// and their times are one.
const shared = 10

// Texts finds messages, the newest first. It reports whether it stopped at Most.
func (x *Index) Texts(ctx context.Context, l Lookup) (found []Found, more bool, err error) {
	err = x.store.Read(ctx, wordsAndKeys, l.query(x.store.Dialect(), x.serving, l.Most+2*shared), func(rows *sql.Rows) error {
		var f Found
		err := rows.Scan(&f.Spot, &f.Message, &f.Conversation, &f.InView, &f.Text)
		if f.Before(l.Before) {
			found = append(found, f)
		}
		return err
	})
	slices.SortFunc(found, Newest)
	if len(found) > l.Most {
		return found[:l.Most], true, err
	}
	return found, false, err
}

// query asks for so many messages, in order of their spots.
func (l Lookup) query(name string, g generation, limit int) store.Query {
	b := &entsql.Builder{}
	b.SetDialect(name)
	text := fmt.Sprintf("substr(m.text, 1, %d)", word.MostText)
	if name == dialect.Postgres { // the conversations one by one, however many it thinks there are
		b.WriteString("SELECT f.spot, f.message_id, " + current + ", m.id IS NOT NULL, COALESCE(" + text + ", '') FROM (" +
			"SELECT * FROM (SELECT spot, message_id, conversation_id FROM " + g.texts() + " WHERE tokens @@ ").
			Arg(l.expression(tsquery)).WriteString("::tsquery OFFSET 0) AS f WHERE spot <= ").Arg(int64(l.Before.Spot)).
			WriteString(" AND spot >= ").Arg(l.from()).WriteString(" ORDER BY spot DESC, message_id DESC) AS f CROSS JOIN LATERAL (SELECT * FROM conversations AS c WHERE c.id = f.conversation_id")
		and(b, l.Seen)
		b.WriteString(" OFFSET 0) AS c LEFT JOIN LATERAL (SELECT m.id, m.text FROM messages AS m WHERE m.id = f.message_id")
		and(b, l.View)
		return b.WriteString(" OFFSET 0) AS m ON TRUE ORDER BY f.spot DESC, f.message_id DESC LIMIT ").Arg(limit)
	}
	b.WriteString("SELECT f.rowid, p.message_id, " + current + ", m.id IS NOT NULL, COALESCE(" + text + ", '') FROM " + g.texts() + " AS f CROSS JOIN " +
		g.places() + " AS p ON p.spot = f.rowid CROSS JOIN conversations AS c ON c.id = p.conversation_id")
	and(b, l.Seen)
	b.WriteString(" LEFT JOIN messages AS m ON m.id = p.message_id")
	and(b, l.View)
	return b.WriteString(" WHERE f." + g.texts() + " MATCH ").Arg(l.expression(fts5)).
		WriteString(" AND f.rowid <= ").Arg(int64(l.Before.Spot)).WriteString(" AND f.rowid >= ").Arg(l.from()).WriteString(" ORDER BY f.rowid DESC LIMIT ").Arg(limit)
}

// from is where the stretches begin: an era may go on before those that are in the
// middle of it.
func (l Lookup) from() int64 { return int64(l.Stretches[len(l.Stretches)-1].From) }

// isMerged says that the row c was merged into another conversation: such rows are below
// every list. To ask merged_into itself, a column near the end, takes longer.
const isMerged = "c.last_message_at < 0"

// current is the conversation that c was merged into, or is.
const current = "CASE WHEN " + isMerged + " THEN c.merged_into ELSE c.id END"

// and adds a condition on that conversation, if there is one. Only where c was merged is
// another row read for it.
func and(b *entsql.Builder, condition Condition) {
	if !condition.isNone() {
		b.WriteString(" AND ")
		holds(b, condition)
	}
}

func holds(b *entsql.Builder, condition Condition) {
	b.WriteString("CASE WHEN " + isMerged + " THEN EXISTS (SELECT 1 FROM conversations AS whole WHERE whole.id = c.merged_into AND (").
		Join(condition("whole")).WriteString(")) ELSE ").Join(condition("c")).WriteString(" END")
}

// A spelling writes expressions of a full-text language.
type spelling struct {
	quote, prefix, and, or string
}

var (
	fts5    = spelling{`"`, " *", " AND ", " OR "}
	tsquery = spelling{"'", ":*", " & ", " | "}
)

// one writes a term. It holds no character that either language gives a meaning.
func (s spelling) one(term string, prefix bool) string {
	if prefix {
		return s.quote + term + s.quote + s.prefix
	}
	return s.quote + term + s.quote
}

// expression asks for all tokens, on any of the channels in any of the stretches.
func (l Lookup) expression(s spelling) string {
	channels := orAny(l.Channels)
	any := make([]string, 0, len(l.Stretches)*len(channels))
	for _, stretch := range l.Stretches {
		for _, channel := range channels {
			all := make([]string, len(l.Tokens))
			for i, t := range l.Tokens {
				all[i] = s.one(term(stretch.id, channel, t.Text), t.Prefix)
			}
			any = append(any, "("+strings.Join(all, s.and)+")")
		}
	}
	return strings.Join(any, s.or)
}

func orAny(channels []int64) []int64 {
	if channels == nil {
		return []int64{anyChannel}
	}
	return channels
}

// FoundCustomer is a conversation that was found by its customer's name or number, or by
// those of a customer who was merged into theirs.
type FoundCustomer struct {
	Conversation int64
	Merged       bool // found by another's name, topic or number

	Name, Topic, Address string

	LastMessageAt clock.Time
	// InView says that the conversation satisfies CustomerLookup.View.
	InView bool
}

// CustomerLookup is what is looked for in names or numbers.
type CustomerLookup struct {
	Name   []word.Token      // all of them, or
	Number *word.NumberQuery // in any way
	// Channels are those looked at; nil for all.
	Channels []int64
	// Seen and View are as in Lookup.
	Seen, View Condition
	Most       int // how many to return, at most
}

// Customers finds conversations by their customers, in no order.
func (x *Index) Customers(ctx context.Context, l CustomerLookup) (found []FoundCustomer, err error) {
	err = x.store.Read(ctx, wordsAndKeys, l.query(x.store.Dialect(), x.serving), func(rows *sql.Rows) error {
		var f FoundCustomer
		err := rows.Scan(&f.Conversation, &f.Name, &f.Topic, &f.Address, &f.LastMessageAt, &f.InView)
		if f.Merged = f.LastMessageAt < 0; f.Merged {
			f.LastMessageAt = ^f.LastMessageAt
		}
		found = append(found, f)
		return err
	})
	return found, err
}

func (l CustomerLookup) query(name string, g generation) store.Query {
	b := &entsql.Builder{}
	b.SetDialect(name)
	// For one that was merged, the complement of the whole's time: another column to read
	// would take longer.
	b.WriteString("SELECT " + current + ", c.name, c.topic, c.address, CASE WHEN " + isMerged +
		" THEN -1 - (SELECT last_message_at FROM conversations AS whole WHERE whole.id = c.merged_into) ELSE c.last_message_at END, ")
	if l.View.isNone() {
		b.WriteString("TRUE")
	} else {
		holds(b, l.View)
	}
	b.WriteString(" FROM ")
	if name == dialect.Postgres {
		b.WriteString("(SELECT conversation_id FROM " + g.people() + " WHERE tokens @@ ").Arg(l.expression(tsquery)).
			WriteString("::tsquery OFFSET 0) AS f CROSS JOIN LATERAL (SELECT * FROM conversations AS c WHERE c.id = f.conversation_id")
		and(b, l.Seen)
		b.WriteString(" OFFSET 0) AS c")
	} else {
		b.WriteString(g.people() + " AS f CROSS JOIN conversations AS c ON c.id = f.rowid")
		and(b, l.Seen)
		b.WriteString(" WHERE f." + g.people() + " MATCH ").Arg(l.expression(fts5))
	}
	return b.WriteString(" LIMIT ").Arg(l.Most)
}

func (l CustomerLookup) expression(s spelling) string {
	channels := orAny(l.Channels)
	any := make([]string, len(channels))
	for i, channel := range channels {
		if l.Number != nil {
			any[i] = numberExpression(s, channel, l.Number)
			continue
		}
		all := make([]string, len(l.Name))
		for k, t := range l.Name {
			all[k] = s.one(customerTerm(channel, nameMark, t.Text), t.Prefix)
		}
		any[i] = "(" + strings.Join(all, s.and) + ")"
	}
	return strings.Join(any, s.or)
}

func numberExpression(s spelling, channel int64, q *word.NumberQuery) string {
	var any []string
	for _, digits := range q.Full {
		any = append(any, s.one(customerTerm(channel, forwardMark, digits), true))
	}
	for _, digits := range q.National {
		any = append(any, s.one(customerTerm(channel, nationalMark, digits), true))
	}
	if q.Ending != "" {
		any = append(any, s.one(customerTerm(channel, backwardMark, q.Backward()), true))
	}
	return strings.Join(any, s.or)
}

// Threads returns the messages of conversations that are older than a place and match,
// with their texts: the newest, so many at most, the newest first. It is how a few
// conversations are searched without the index, and holds no more texts than two of
// these results have.
func Threads(ctx context.Context, s *store.Store, conversations []int64, before Place, match func(text string) bool, most int) ([]Found, error) {
	list, err := json.Marshal(conversations)
	if err != nil {
		return nil, err
	}
	b := &entsql.Builder{}
	b.SetDialect(s.Dialect())
	b.WriteString(fmt.Sprintf("SELECT m.id, m.conversation_id, m.created_at, substr(m.text, 1, %d) FROM ", word.MostText))
	if s.Dialect() == dialect.Postgres {
		b.WriteString("json_array_elements_text(").Arg(string(list)).WriteString("::json) AS k(value) JOIN messages AS m ON m.conversation_id = k.value::bigint")
	} else {
		b.WriteString("json_each(").Arg(string(list)).WriteString(") AS k CROSS JOIN messages AS m ON m.conversation_id = k.value")
	}
	var out []Found
	err = s.Read(ctx, wordsAndKeys, b, func(rows *sql.Rows) error {
		f, m := Found{InView: true}, Message{}
		if err := rows.Scan(&m.ID, &f.Conversation, &m.At, &f.Text); err != nil {
			return err
		}
		if f.Place = (Place{SpotOf(m.At, m.ID), m.ID}); f.Before(before) && match(f.Text) {
			out = append(out, f)
		}
		if len(out) >= 2*most {
			out = newest(out, most)
		}
		return nil
	})
	return newest(out, most), err
}

// newest sorts what was found and drops all but the newest.
func newest(found []Found, most int) []Found {
	slices.SortFunc(found, Newest)
	most = min(most, len(found))
	clear(found[most:])
	return found[:most]
}

// Newest compares what was found by its place, the newest first.
func Newest(a, b Found) int {
	return cmp.Or(cmp.Compare(b.Spot, a.Spot), cmp.Compare(b.Message, a.Message))
}
