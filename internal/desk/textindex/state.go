package textindex

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
	"parley/internal/ground/word"
)

// wordsAndKeys reads the index; search narrows what it leads to.
const wordsAndKeys = store.System("words and keys, which search narrows")

// Reader reads statements: a transaction, or a store by From.
type Reader interface {
	Builder() *entsql.DialectBuilder
	Query(ctx context.Context, q store.Query, scan func(*sql.Rows) error) error
}

// From reads outside any transaction.
func From(s *store.Store) Reader { return reading{s} }

type reading struct{ *store.Store }

// Query implements Reader.
func (r reading) Query(ctx context.Context, q store.Query, scan func(*sql.Rows) error) error {
	return r.Read(ctx, wordsAndKeys, q, scan)
}

// layout numbers the ways in which terms were spelled. Each has a state and two
// generations of tables of its own, so that a process of the last version goes on
// in the last layout beside this one:
//
//  1. behind the bucket (generations 0 and 1)
//  2. behind the bucket, and behind the era and the channel
const layout = 2

// firstGeneration is the first of the layout; the other is the next.
const firstGeneration = 2 * (layout - 1)

// other is the generation beside n.
func other(n int64) int64 { return 2*firstGeneration + 1 - n }

// none stands for no generation.
const none = -1

// State is where the index stands.
type State struct {
	// Serving is the generation that is read.
	Serving int64

	building int64 // the one that is built, none, or Serving the first time
	version  int64 // of the words in the generation that is built, else in Serving
	done     build
	last     build // what was there when the building began

	newest map[int64][]Bucket // by generation, one or none
}

// build is how far a building is, by the keys of what it has taken in.
type build struct{ messages, conversations int64 }

// Whole reports whether everything can be found. It is false until an index that
// began on a database with messages has taken them all in.
func (s State) Whole() bool { return s.building != s.Serving }

// Building reports whether a generation is being built, and how much of the
// messages it has taken in, by their keys.
func (s State) Building() (done, of int64, on bool) {
	return s.done.messages, s.last.messages, s.building != none
}

// Old reports whether the index was made by other rules for words than this
// program's.
func (s State) Old() bool { return s.version != word.Version }

// generation is a set of tables.
type generation struct {
	number int64
	newest []Bucket // as far as it was read with the state
}

func (g generation) places() string { return fmt.Sprintf("search_places_%d", g.number) }
func (g generation) texts() string  { return fmt.Sprintf("search_texts_%d", g.number) }
func (g generation) people() string { return fmt.Sprintf("search_people_%d", g.number) }

// written are the generations that writes go to.
func (s State) written() []generation {
	out := []generation{s.generation(s.Serving)}
	if s.building != none && s.building != s.Serving {
		out = append(out, s.generation(s.building))
	}
	return out
}

func (s State) generation(n int64) generation { return generation{n, s.newest[n]} }

// ReadState reads where the index stands, with the newest bucket of each
// generation that is written.
func ReadState(ctx context.Context, from Reader) (State, error) {
	s := State{Serving: none, building: none, newest: map[int64][]Bucket{}}
	err := from.Query(ctx, statement{`SELECT s.serving, s.building, s.version, s.done_messages, s.done_conversations, s.last_message, s.last_conversation,
			b.generation, b.id, b.from_spot, b.first_message, b.era
		FROM search_states AS s LEFT JOIN search_buckets AS b ON b.generation IN (s.serving, s.building)
			AND b.from_spot = (SELECT MAX(n.from_spot) FROM search_buckets AS n WHERE n.generation = b.generation)
		WHERE s.id = ` + strconv.Itoa(layout), nil}, func(rows *sql.Rows) error {
		var of, id, spot, opener, era sql.NullInt64
		err := rows.Scan(&s.Serving, &s.building, &s.version, &s.done.messages, &s.done.conversations, &s.last.messages, &s.last.conversations,
			&of, &id, &spot, &opener, &era)
		if of.Valid {
			s.newest[of.Int64] = []Bucket{{id.Int64, Spot(spot.Int64), opener.Int64, era.Int64}}
		}
		return err
	})
	if err == nil && s.Serving == none {
		err = fmt.Errorf("the search index has no state: it is made when Parley starts")
	}
	return s, err
}

// Places is the table that has the spots of all messages that are served.
func (s State) Places(of *store.Store) string {
	g := s.generation(s.Serving)
	if of.Dialect() == dialect.Postgres {
		return g.texts()
	}
	return g.places()
}

// Begun reports whether the database has an index.
func Begun(ctx context.Context, s *store.Store) (begun bool, err error) {
	q := s.Builder().Select("id").From(entsql.Table("search_states")).Where(entsql.EQ("id", layout))
	err = s.Read(ctx, wordsAndKeys, q, func(*sql.Rows) error { begun = true; return nil })
	return begun, err
}

// Prepare begins the index of a database that has none. What the database holds
// by then is taken in by Build.
func Prepare(ctx context.Context, s *store.Store) error {
	if begun, err := Begun(ctx, s); err != nil || begun {
		return err
	}
	return s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		beginning.Defer(tx, struct{}{})
		return nil
	})
}

// beginning makes the state under the tail lock: what was committed before is the
// building's, what comes after indexes itself.
var beginning = &store.Deferred[struct{}]{Name: "begin the search index", Do: func(ctx context.Context, tx *store.Tx, _ []struct{}) error {
	last, err := lastKeys(ctx, tx)
	if err != nil {
		return err
	}
	building := int64(firstGeneration)
	if last == (build{}) {
		building = none
	}
	insert := tx.Builder().Insert("search_states").Columns("id", "serving", "building", "version",
		"done_messages", "done_conversations", "last_message", "last_conversation").
		Values(layout, firstGeneration, building, word.Version, 0, 0, last.messages, last.conversations).
		OnConflict(entsql.ConflictColumns("id"), entsql.DoNothing())
	_, err = tx.Exec(ctx, insert)
	return err
}}

func lastKeys(ctx context.Context, from Reader) (last build, err error) {
	if last.messages, err = lastKey(ctx, from, "messages"); err == nil {
		last.conversations, err = lastKey(ctx, from, "conversations")
	}
	return last, err
}

// statement is a statement written by hand.
type statement struct {
	text string
	args []any
}

// Query implements store.Query.
func (s statement) Query() (string, []any) { return s.text, s.args }
