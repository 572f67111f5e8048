package textindex

import (
	"context"
	"encoding/json"
	"strings"

	"parley/internal/ground/store"
)

// insert adds messages, and words to one that is there. The statements' texts do not
// depend on how many there are.
func (g generation) insert(ctx context.Context, tx *store.Tx, all []placed) error {
	if tx.Locks() {
		return g.insertPostgres(ctx, tx, all)
	}
	spots, rows := make([][3]int64, len(all)), make([][2]any, len(all))
	for i, p := range all {
		spots[i] = [3]int64{int64(p.spot), p.message, p.conversation}
		rows[i] = [2]any{int64(p.spot), p.terms}
	}
	err := execJSON(ctx, tx, "INSERT INTO "+g.places()+" (spot, message_id, conversation_id) "+
		"SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING", spots)
	if err != nil {
		return err
	}
	return execJSON(ctx, tx, "INSERT INTO "+g.texts()+" (rowid, tokens) SELECT value ->> 0, value ->> 1 FROM json_each(?)", rows)
}

func execJSON(ctx context.Context, tx *store.Tx, text string, rows any) error {
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, statement{text, []any{string(list)}})
	return err
}

// insertPostgres joins what is there: the building may meet a message that a write
// under way has indexed by itself.
func (g generation) insertPostgres(ctx context.Context, tx *store.Tx, all []placed) error {
	spots, messages, conversations, terms := make([]int64, len(all)), make([]int64, len(all)), make([]int64, len(all)), make([]string, len(all))
	for i, p := range all {
		spots[i], messages[i], conversations[i], terms[i] = int64(p.spot), p.message, p.conversation, p.terms
	}
	_, err := tx.Exec(ctx, statement{"INSERT INTO " + g.texts() + " AS t (spot, message_id, conversation_id, tokens) " +
		"SELECT spot, message_id, conversation_id, array_to_tsvector(string_to_array(terms, ' ')) " +
		"FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS r(spot, message_id, conversation_id, terms) " +
		"ON CONFLICT (spot, message_id) DO UPDATE SET tokens = t.tokens || excluded.tokens", []any{spots, messages, conversations, terms}})
	return err
}

// addPeople puts customers in, in place of what was known of them.
func (g generation) addPeople(ctx context.Context, tx *store.Tx, people []person) error {
	if !tx.Locks() {
		rows := make([][2]any, len(people))
		for i, p := range people {
			rows[i] = [2]any{p.conversation, strings.Join(p.terms, " ")}
		}
		return execJSON(ctx, tx, "INSERT OR REPLACE INTO "+g.people()+" (rowid, tokens) SELECT value ->> 0, value ->> 1 FROM json_each(?)", rows)
	}
	keys, terms := make([]int64, len(people)), make([]string, len(people))
	for i, p := range people {
		keys[i], terms[i] = p.conversation, strings.Join(p.terms, " ")
	}
	_, err := tx.Exec(ctx, statement{"INSERT INTO " + g.people() + " (conversation_id, tokens) " +
		"SELECT conversation_id, array_to_tsvector(string_to_array(terms, ' ')) FROM unnest($1::bigint[], $2::text[]) AS r(conversation_id, terms) " +
		"ON CONFLICT (conversation_id) DO UPDATE SET tokens = excluded.tokens", []any{keys, terms}})
	return err
}
