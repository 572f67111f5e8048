package textindex

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"

	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/word"
)

// buildBatch is how many messages or conversations one write of a building takes
// in: some tens of milliseconds, for which others wait.
const buildBatch = 1_000

// Jobs continue with building the index: of a database that was there before its index,
// one whose rules for words have changed, and one for which somebody asked.
func Jobs(s *store.Store) []job.Job {
	return []job.Job{
		job.Periodic{Name: "build_search", Run: func(ctx context.Context) error {
			_, err := work(ctx, s)
			return err
		}},
		job.Work[building]{Queue: job.Upkeep, Run: func(ctx context.Context, _ building) error {
			more, err := work(ctx, s)
			if err == nil && more {
				err = river.JobSnooze(0)
			}
			return err
		}},
	}
}

// building is the job that builds the index until all is in. A server of the last version
// may take every run of the periodic one, which it shares, and builds its own index.
type building struct{}

// Kind implements river.JobArgs.
func (building) Kind() string { return "build_index" }

// Begin has the index be built, if a building is under way or its words are old. A server
// says so when it starts.
func Begin(ctx context.Context, s *store.Store) error {
	state, err := ReadState(ctx, From(s))
	if err != nil || state.building == none && !state.Old() {
		return err
	}
	return s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		tx.Enqueue(building{}, &river.InsertOpts{Queue: job.Upkeep.Name})
		return nil
	})
}

// buildTime is how long one run builds. The next continues.
const buildTime = 30 * time.Second

// work builds for a while, and reports whether there is more to do.
func work(ctx context.Context, s *store.Store) (more bool, err error) {
	state, err := ReadState(ctx, From(s))
	if err != nil {
		return false, err
	}
	if state.Old() {
		err = Rebuild(ctx, s)
	}
	more = true
	for until := time.Now().Add(buildTime); err == nil && more && time.Now().Before(until) && !job.Stopping(ctx); {
		_, more, err = Step(ctx, s)
	}
	if err == nil && !more {
		err = Tidy(ctx, s)
	}
	return more, err
}

// Rebuild begins to build the index anew beside the one that is served; a
// building that was interrupted stays as it is. Build does the work.
func Rebuild(ctx context.Context, s *store.Store) error {
	return s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		rebuilding.Defer(tx, struct{}{})
		return nil
	})
}

var rebuilding = &store.Deferred[struct{}]{Name: "begin to build the search index", Do: func(ctx context.Context, tx *store.Tx, _ []struct{}) error {
	state, err := ReadState(ctx, tx)
	if err != nil || state.building != none && !state.Old() {
		return err
	}
	fresh := generation{number: other(state.Serving)}
	if state.building != none {
		fresh.number = state.building
	}
	if err := fresh.clear(ctx, tx); err != nil {
		return err
	}
	last, err := lastKeys(ctx, tx)
	if err != nil {
		return err
	}
	update := tx.Builder().Update("search_states").Where(entsql.EQ("id", layout)).Set("building", fresh.number).Set("version", word.Version).
		Set("done_messages", 0).Set("done_conversations", 0).Set("last_message", last.messages).Set("last_conversation", last.conversations)
	if _, err := tx.Exec(ctx, update); err != nil || last.messages == 0 {
		return err
	}
	sample, err := sampleTimes(ctx, tx, last.messages)
	if err != nil || len(sample) == 0 {
		return err
	}
	return fresh.expect(ctx, tx, expected{int(last.messages), sample})
}}

// clear empties a generation. On PostgreSQL it waits for searches that still read
// it.
func (g generation) clear(ctx context.Context, tx *store.Tx) error {
	texts := []string{"DELETE FROM search_buckets WHERE generation = " + fmt.Sprint(g.number)}
	if tx.Locks() {
		texts = append(texts, "TRUNCATE "+g.texts()+", "+g.people())
	} else {
		texts = append(texts, "DELETE FROM "+g.places(),
			"INSERT INTO "+g.texts()+" ("+g.texts()+") VALUES ('delete-all')",
			"INSERT INTO "+g.people()+" ("+g.people()+") VALUES ('delete-all')")
	}
	for _, text := range texts {
		if _, err := tx.Exec(ctx, statement{text, nil}); err != nil {
			return err
		}
	}
	return nil
}

// sampleTimes are the times of up to 10,000 messages from all over the table, in
// order.
func sampleTimes(ctx context.Context, tx *store.Tx, last int64) ([]clock.Time, error) {
	const most = 10_000
	step := last/most + 1
	q := statement{"WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key + " + fmt.Sprint(step) + " FROM n WHERE key < " + fmt.Sprint(last) +
		") SELECT m.created_at FROM n JOIN messages AS m ON m.id = n.key ORDER BY m.created_at", nil}
	var out []clock.Time
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var at clock.Time
		err := rows.Scan(&at)
		out = append(out, at)
		return err
	})
	return out, err
}

// Step goes on with a building that is under way: it takes in one batch, and
// begins to serve what is built when all is in. It reports whether there is more
// to do. Steps may be taken by several processes and may be interrupted; a
// database on which nothing is being built is left alone.
func Step(ctx context.Context, s *store.Store) (state State, more bool, err error) {
	if state, err = ReadState(ctx, From(s)); err != nil || state.building == none {
		return state, false, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		stepping.Defer(tx, struct{}{})
		return nil
	})
	if err == nil {
		state, err = ReadState(ctx, From(s))
	}
	return state, state.building != none, err
}

var stepping = &store.Deferred[struct{}]{Name: "build the search index", Do: func(ctx context.Context, tx *store.Tx, _ []struct{}) error {
	state, err := ReadState(ctx, tx)
	if err != nil || state.building == none {
		return err
	}
	g := state.generation(state.building)
	switch {
	case state.done.conversations < state.last.conversations:
		return g.takeCustomers(ctx, tx, state.done.conversations, state.last.conversations)
	case state.done.messages < state.last.messages:
		return g.takeMessages(ctx, tx, state.done.messages, state.last.messages)
	}
	update := tx.Builder().Update("search_states").Where(entsql.EQ("id", layout)).Set("serving", g.number).Set("building", none)
	_, err = tx.Exec(ctx, update)
	return err
}}

// Tidy empties the generation that is neither served nor built, if anything is in
// it: the one before the last building.
func Tidy(ctx context.Context, s *store.Store) error {
	state, err := ReadState(ctx, From(s))
	if err != nil || state.building != none {
		return err
	}
	filled := false
	q := s.Builder().Select("id").From(entsql.Table("search_buckets")).Where(entsql.EQ("generation", other(state.Serving))).Limit(1)
	if err := s.Read(ctx, wordsAndKeys, q, func(*sql.Rows) error { filled = true; return nil }); err != nil || !filled {
		return err
	}
	return s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		tidying.Defer(tx, struct{}{})
		return nil
	})
}

var tidying = &store.Deferred[struct{}]{Name: "tidy the search index", Do: func(ctx context.Context, tx *store.Tx, _ []struct{}) error {
	state, err := ReadState(ctx, tx)
	if err != nil || state.building != none {
		return err
	}
	return generation{number: other(state.Serving)}.clear(ctx, tx)
}}

// Retire empties the tables of the layout before, which servers of the last version
// search and write. One that is started after all builds them anew.
func Retire(ctx context.Context, s *store.Store) error {
	return s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		retiring.Defer(tx, struct{}{})
		return nil
	})
}

var retiring = &store.Deferred[struct{}]{Name: "empty the search index of the last layout", Do: func(ctx context.Context, tx *store.Tx, _ []struct{}) error {
	for number := range int64(firstGeneration) {
		if err := (generation{number: number}).clear(ctx, tx); err != nil {
			return err
		}
	}
	last, err := lastKeys(ctx, tx)
	if err != nil {
		return err
	}
	update := tx.Builder().Update("search_states").Where(entsql.EQ("id", layout-1)).Set("building", entsql.Raw("serving")).
		Set("done_messages", 0).Set("done_conversations", 0).Set("last_message", last.messages).Set("last_conversation", last.conversations)
	_, err = tx.Exec(ctx, update)
	return err
}}

// takeCustomers takes in the next conversations up to the last one.
func (g generation) takeCustomers(ctx context.Context, tx *store.Tx, done, last int64) error {
	q := batch(tx, "conversations", done, last, "id", "channel_id", "name", "topic", "address")
	var people []person
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var c Customer
		err := rows.Scan(&c.ConversationID, &c.ChannelID, &c.Name, &c.Topic, &c.Address)
		people = append(people, person{c.ConversationID, customerTerms(c)})
		return err
	})
	if err != nil {
		return err
	}
	if err := g.add(ctx, tx, nil, people); err != nil {
		return err
	}
	if len(people) == buildBatch {
		last = people[len(people)-1].conversation
	}
	return reached(ctx, tx, "done_conversations", last)
}

// takeMessages takes in the next messages up to the last one, without those that
// writes under way have indexed themselves.
func (g generation) takeMessages(ctx context.Context, tx *store.Tx, done, last int64) error {
	q := batch(tx, "messages", done, last, "id", "conversation_id", "(SELECT channel_id FROM conversations WHERE id = conversation_id)",
		"created_at", fmt.Sprintf("substr(text, 1, %d)", word.MostText))
	var entries []entry
	n, at := 0, int64(0)
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var m Message
		err := rows.Scan(&m.ID, &m.ConversationID, &m.ChannelID, &m.At, &m.Text)
		if tokens := word.Index(m.Text); len(tokens) > 0 {
			entries = append(entries, entry{SpotOf(m.At, m.ID), m.ID, m.ConversationID, m.ChannelID, tokens})
		}
		n, at = n+1, m.ID
		return err
	})
	if err != nil {
		return err
	}
	if err := g.add(ctx, tx, entries, nil); err != nil {
		return err
	}
	if n == buildBatch {
		last = at
	}
	return reached(ctx, tx, "done_messages", last)
}

// batch selects the next rows of a table by their keys.
func batch(tx *store.Tx, table string, done, last int64, columns ...string) store.Query {
	return tx.Builder().Select(columns...).From(entsql.Table(table)).
		Where(entsql.And(entsql.GT("id", done), entsql.LTE("id", last))).OrderBy("id").Limit(buildBatch)
}

func reached(ctx context.Context, tx *store.Tx, column string, key int64) error {
	_, err := tx.Exec(ctx, tx.Builder().Update("search_states").Where(entsql.EQ("id", layout)).Set(column, key))
	return err
}
