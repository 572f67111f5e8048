package doctor

import (
	"context"
	"database/sql"
	"fmt"

	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/word"
)

// indexedPart is how many of the newest messages are looked for in the search
// index.
const indexedPart = 1_000

// search looks whether the search index is whole and up to date.
func (e *examination) search(ctx context.Context) (Finding, error) {
	const rebuild = "Run parley search rebuild; servers may keep running."
	begun, err := textindex.Begun(ctx, e.store)
	if err != nil {
		return Finding{}, err
	}
	if !begun {
		return e.unlessNew(ctx, warn("Start the server with parley serve: it creates the index and fills it in the background.", "The search index was never built."))
	}
	state, err := textindex.ReadState(ctx, textindex.From(e.store))
	if err != nil {
		return Finding{}, err
	}
	done, of, building := state.Building()
	missing, err := e.notIndexed(ctx, state)
	switch {
	case err != nil:
		return Finding{}, err
	case building:
		return warn("Let a server run, which continues it, or run parley search rebuild.",
			"The search index is being built: message %d of %d is done.", done, of), nil
	case state.Old():
		return warn(rebuild, "The search index was built with different word rules than this program uses."), nil
	case missing > 0:
		return fail(rebuild, "The search index lacks %s of the newest %d.", count(missing, "message", "messages"), indexedPart), nil
	}
	return ok("The search index contains the newest messages."), nil
}

// notIndexed counts the newest messages that search should find and does not
// know.
func (e *examination) notIndexed(ctx context.Context, state textindex.State) (n int64, err error) {
	q := store.SQL(fmt.Sprintf(`SELECT m.id, m.created_at, m.text, p.spot FROM (SELECT id, created_at, text FROM messages ORDER BY id DESC LIMIT %d) AS m
		LEFT JOIN %s AS p ON p.message_id = m.id AND p.spot = (m.created_at / 1000) * 2097152 + (m.id & 2097151)`, indexedPart, state.Places(e.store)))
	err = e.store.Read(ctx, operator, q, func(rows *sql.Rows) error {
		var id int64
		var at clock.Time
		var text string
		var spot sql.NullInt64
		if err := rows.Scan(&id, &at, &text, &spot); err != nil {
			return err
		}
		if !spot.Valid && len(word.Index(text)) > 0 {
			n++
		}
		return nil
	})
	return n, err
}
