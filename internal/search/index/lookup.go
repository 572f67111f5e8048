package index

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

	"parley/internal/search/word"
	"parley/internal/store"
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

// Buckets are those there are, newest first, and bucket 0 at the end.
func (x *Index) Buckets(ctx context.Context) ([]Bucket, error) {
	out, err := x.serving.Buckets(ctx, From(x.store))
	return append(out, Bucket{}), err
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
	Conversation int64
	// Seen says that the conversation satisfies the condition asked with.
	Seen bool
	Text string // of what is seen
}

// Lookup is what is looked for in texts.
type Lookup struct {
	Tokens  []word.Token
	Buckets []Bucket // in which
	Before  Place    // only what is older
	// Seen is a condition on the conversation, whose table is named c; nil for
	// none. What does not satisfy it is told as well, without its text.
	Seen *entsql.Predicate
	Most int // how many spots to tell
}

// Texts finds messages, the newest first. It reports whether it stopped at Most.
func (x *Index) Texts(ctx context.Context, l Lookup) (found []Found, more bool, err error) {
	spots, last := 0, Last
	err = x.store.Read(ctx, l.query(x.store.Dialect(), x.serving), func(rows *sql.Rows) error {
		var f Found
		if err := rows.Scan(&f.Spot, &f.Message, &f.Conversation, &f.Seen, &f.Text); err != nil {
			return err
		}
		if f.Spot != last || spots == 0 {
			spots, last = spots+1, f.Spot
		}
		if f.Before(l.Before) {
			found = append(found, f)
		}
		return nil
	})
	return found, spots > l.Most, err
}

// query tells one spot more, since that of Before may be among them.
func (l Lookup) query(name string, g generation) store.Query {
	b := &entsql.Builder{}
	b.SetDialect(name)
	postgres := name == dialect.Postgres
	text := fmt.Sprintf("substr(m.text, 1, %d)", word.MostText)
	b.WriteString("SELECT p.spot, p.message_id, p.conversation_id, c.id IS NOT NULL, COALESCE(" + text + ", '') FROM (")
	if postgres {
		b.WriteString("SELECT spot, message_id, conversation_id FROM (SELECT spot, message_id, conversation_id FROM " + g.texts() + " WHERE tokens @@ ").
			Arg(l.expression(tsquery)).WriteString("::tsquery OFFSET 0) AS f WHERE spot <= ").Arg(int64(l.Before.Spot)).
			WriteString(" ORDER BY spot DESC, message_id DESC LIMIT ").Arg(l.Most + 1).WriteString(") AS p")
	} else {
		b.WriteString("SELECT rowid AS spot FROM " + g.texts() + " WHERE " + g.texts() + " MATCH ").Arg(l.expression(fts5)).
			WriteString(" AND rowid <= ").Arg(int64(l.Before.Spot)).WriteString(" ORDER BY rowid DESC LIMIT ").Arg(l.Most + 1).
			WriteString(") AS f CROSS JOIN " + g.places() + " AS p ON p.spot = f.spot")
	}
	seen := func(on string) {
		b.WriteString(on + " c.id = p.conversation_id")
		if l.Seen != nil {
			b.WriteString(" AND (").Join(l.Seen).WriteString(")")
		}
	}
	if postgres { // one by one, however many it thinks there are
		b.WriteString(" LEFT JOIN LATERAL (SELECT c.id FROM conversations AS c")
		seen(" WHERE")
		b.WriteString(" OFFSET 0) AS c ON TRUE LEFT JOIN LATERAL (SELECT m.text FROM messages AS m WHERE m.id = p.message_id AND c.id IS NOT NULL OFFSET 0) AS m ON TRUE")
	} else {
		b.WriteString(" LEFT JOIN conversations AS c")
		seen(" ON")
		b.WriteString(" LEFT JOIN messages AS m ON m.id = p.message_id AND c.id IS NOT NULL")
	}
	return b.WriteString(" ORDER BY p.spot DESC, p.message_id DESC")
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

// expression asks for all tokens, in any of the buckets.
func (l Lookup) expression(s spelling) string {
	each := make([]string, len(l.Buckets))
	for i, bucket := range l.Buckets {
		all := make([]string, len(l.Tokens))
		for k, t := range l.Tokens {
			all[k] = s.one(term(bucket.ID, t.Text), t.Prefix)
		}
		each[i] = "(" + strings.Join(all, s.and) + ")"
	}
	return strings.Join(each, s.or)
}

// Names are the conversations whose customers have a name with these tokens, as
// far as the index knows, in no order; at most as many as asked for.
func (x *Index) Names(ctx context.Context, tokens []word.Token, most int) ([]int64, error) {
	ask := func(s spelling) string {
		all := make([]string, len(tokens))
		for i, t := range tokens {
			all[i] = s.one(nameMark+t.Text, t.Prefix)
		}
		return strings.Join(all, s.and)
	}
	return x.people(ctx, ask, most)
}

// Numbers are the conversations whose customers' addresses match, in no order; at
// most as many as asked for.
func (x *Index) Numbers(ctx context.Context, q word.NumberQuery, most int) ([]int64, error) {
	ask := func(s spelling) string {
		var any []string
		for _, digits := range q.Full {
			any = append(any, s.one(forwardMark+digits, true))
		}
		for _, digits := range q.National {
			any = append(any, s.one(nationalMark+digits, true))
		}
		if q.Ending != "" {
			any = append(any, s.one(backwardMark+q.Backward(), true))
		}
		return strings.Join(any, s.or)
	}
	return x.people(ctx, ask, most)
}

func (x *Index) people(ctx context.Context, ask func(spelling) string, most int) (keys []int64, err error) {
	table := x.serving.people()
	q := statement{"SELECT rowid FROM " + table + " WHERE " + table + " MATCH ? LIMIT ?", []any{ask(fts5), most}}
	if x.store.Dialect() == dialect.Postgres {
		q = statement{"SELECT conversation_id FROM " + table + " WHERE tokens @@ $1::tsquery LIMIT $2", []any{ask(tsquery), most}}
	}
	err = x.store.Read(ctx, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// Threads are the messages of conversations that are no newer than a place, with
// their texts, the newest first: what is searched without the index.
func (x *Index) Threads(ctx context.Context, conversations []int64, before Place) ([]Found, error) {
	list, err := json.Marshal(conversations)
	if err != nil {
		return nil, err
	}
	b := &entsql.Builder{}
	b.SetDialect(x.store.Dialect())
	b.WriteString(fmt.Sprintf("SELECT m.id, m.conversation_id, m.created_at, substr(m.text, 1, %d) FROM ", word.MostText))
	if x.store.Dialect() == dialect.Postgres {
		b.WriteString("json_array_elements_text(").Arg(string(list)).WriteString("::json) AS k(value) JOIN messages AS m ON m.conversation_id = k.value::bigint")
	} else {
		b.WriteString("json_each(").Arg(string(list)).WriteString(") AS k CROSS JOIN messages AS m ON m.conversation_id = k.value")
	}
	var out []Found
	err = x.store.Read(ctx, b, func(rows *sql.Rows) error {
		f, m := Found{Seen: true}, Message{}
		if err := rows.Scan(&m.ID, &f.Conversation, &m.At, &f.Text); err != nil {
			return err
		}
		if f.Place = (Place{SpotOf(m.At, m.ID), m.ID}); f.Before(before) {
			out = append(out, f)
		}
		return nil
	})
	sortFound(out)
	return out, err
}

func sortFound(all []Found) {
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(b.Spot, a.Spot), cmp.Compare(b.Message, a.Message))
	})
}
