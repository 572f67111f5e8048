// Package hidden makes the database that would exist without what an agent may not see,
// so that tests can compare every answer: the two must be equal.
//
// Conversations that the agent does not see are deleted with everything that belongs to
// them. The rest keeps its keys, so ids are the same; counts and the search index are
// rebuilt from what is left.
package hidden

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/rule"
	"parley/internal/desk/textindex"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Without opens a Parley on a copy of a database from which everything was deleted
// that the agent does not see, and returns how many conversations that was. Nobody
// may have the database open meanwhile.
func Without(t testing.TB, database, username string, options ...func(*app.Config)) (p *parleytest.Parley, gone int) {
	t.Helper()
	p = parleytest.OpenAt(t, parleytest.Copy(t, database), options...)
	v, err := p.Directory.Viewer(username)
	require.NoError(t, err)
	keys := hiddenFrom(t, p, v)
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error { return remove(ctx, tx, keys) }))
	require.NoError(t, textindex.Rebuild(p.System(), p.Store))
	for more := true; more; {
		_, more, err = textindex.Step(p.System(), p.Store)
		require.NoError(t, err)
	}
	require.NoError(t, textindex.Tidy(p.System(), p.Store))
	return p, len(keys)
}

// hiddenFrom are the conversations that v does not see, by the rule itself.
func hiddenFrom(t testing.TB, p *parleytest.Parley, v *viewer.Viewer) (keys []string) {
	t.Helper()
	q := store.SQL("SELECT c.id, w.channel_id, COALESCE(w.owner_id, 0), COALESCE(w.queue_id, 0) " +
		"FROM conversations AS c JOIN conversations AS w ON w.id = COALESCE(c.merged_into, c.id)")
	require.NoError(t, p.Store.Read(t.Context(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var key int64
		var c rule.Subject
		err := rows.Scan(&key, &c.Channel, &c.Owner, &c.Queue)
		if !rule.Visible(v).Sees(c) {
			keys = append(keys, fmt.Sprint(key))
		}
		return err
	}))
	return keys
}

// remove deletes conversations with what belongs to them alone, the dependent first.
func remove(ctx context.Context, tx *store.Tx, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	these := " IN (" + strings.Join(keys, ", ") + ")"
	for _, text := range []string{
		"CREATE TEMPORARY TABLE gone AS SELECT c.messaging_user_id AS person, r.id AS record FROM conversations AS c LEFT JOIN records AS r " +
			"ON r.id = c.record_id AND NOT EXISTS (SELECT 1 FROM conversations AS o WHERE o.record_id = r.id AND NOT o.id" + these + ") WHERE c.id" + these,
		"DELETE FROM attempts WHERE conversation_id" + these,
		"DELETE FROM lanes WHERE id" + these,
		"DELETE FROM participants WHERE conversation_id" + these,
		"DELETE FROM messages WHERE conversation_id" + these,
		// The log has no holes: what happened to them is of a cause that nobody knows.
		"UPDATE events SET cause = 'HIDDEN', conversation_id = 0, message_id = 0, actor_id = 0, idempotency_key = '', facts = '{}' WHERE conversation_id" + these,
		"DELETE FROM conversations WHERE id" + these,
		"DELETE FROM identifiers WHERE messaging_user_id IN (SELECT person FROM gone)",
		"DELETE FROM messaging_users WHERE id IN (SELECT person FROM gone)",
		"DELETE FROM lookups WHERE record_id IN (SELECT record FROM gone) OR target_id IN (SELECT record FROM gone)",
		"DELETE FROM records WHERE id IN (SELECT record FROM gone)",
		"DROP TABLE gone",
		"DELETE FROM count_cells",
		recount,
	} {
		if _, err := tx.Exec(ctx, store.SQL(text)); err != nil {
			return fmt.Errorf("%.60s: %w", text, err)
		}
	}
	return nil
}

const recount = `INSERT INTO count_cells (owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new)
	SELECT COALESCE(owner_id, 0), channel_id, COALESCE(queue_id, 0), object_type, COUNT(*), SUM(CASE WHEN inbound_count > 0 THEN 1 ELSE 0 END),
		SUM(CASE WHEN is_unread THEN 1 ELSE 0 END), SUM(CASE WHEN is_unread AND inbound_count > 0 THEN 1 ELSE 0 END), SUM(inbound_count - read_count)
	FROM conversations WHERE last_message_at >= 0 GROUP BY 1, 2, 3, 4`
