package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"parley/internal/ground/clock"
)

// log looks whether the event log is dense up to its head.
func (e *examination) log(ctx context.Context) (Finding, error) {
	part := int64(newest)
	if e.Deep {
		part = math.MaxInt64 / 2
	}
	var head, oldest, last, held int64
	var since clock.Time
	err := e.row(ctx, fmt.Sprintf(`SELECT position, COALESCE((SELECT MIN(id) FROM events), 0), COALESCE((SELECT MAX(id) FROM events), 0),
		(SELECT COUNT(*) FROM events WHERE id > position - %d), COALESCE((SELECT created_at FROM events ORDER BY id LIMIT 1), 0)
		FROM log_heads`, part), &head, &oldest, &last, &held, &since)
	const do = "Streams cannot be trusted: restore the last backup with parley restore, after which they resync, and report what happened before."
	switch {
	case err != nil:
		return Finding{}, err
	case head == 0:
		return ok("The event log is empty."), nil
	case last != head:
		return fail(do, "The event log ends at %d, but its head is at %d.", last, head), nil
	case held != last-max(oldest-1, last-part):
		return fail(do, "The event log has holes among its newest %d positions.", min(part, last)), nil
	}
	return ok("The event log holds events %d to %d, without holes; the oldest is from %s.", oldest, last, since.Std().Format("2006-01-02 15:04")), nil
}

// counts counts the conversations again, without those that were merged into others.
func (e *examination) counts(ctx context.Context) (Finding, error) {
	const recount = `SELECT COALESCE(owner_id, 0) AS o, channel_id AS c, COALESCE(queue_id, 0) AS q, object_type AS t, COUNT(*) AS conversations,
		SUM(CASE WHEN inbound_count > 0 THEN 1 ELSE 0 END) AS inbound, SUM(CASE WHEN is_unread THEN 1 ELSE 0 END) AS unread,
		SUM(CASE WHEN is_unread AND inbound_count > 0 THEN 1 ELSE 0 END) AS unread_inbound, CAST(SUM(inbound_count - read_count) AS BIGINT) AS new
		FROM conversations WHERE last_message_at >= 0 GROUP BY 1, 2, 3, 4`
	const cells = `SELECT owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new
		FROM count_cells WHERE conversations <> 0 OR with_inbound <> 0 OR unread <> 0 OR unread_inbound <> 0 OR new <> 0`
	var wrong, conversations int64
	err := e.row(ctx, `SELECT (SELECT COUNT(*) FROM (SELECT * FROM (`+recount+`) AS r EXCEPT SELECT * FROM (`+cells+`) AS s) AS x) +
		(SELECT COUNT(*) FROM (SELECT * FROM (`+cells+`) AS s EXCEPT SELECT * FROM (`+recount+`) AS r) AS y), (SELECT COUNT(*) FROM conversations)`,
		&wrong, &conversations)
	if err != nil {
		return Finding{}, err
	}
	if wrong > 0 {
		return fail("Inboxes show wrong counts: restore the last backup with correct counts by parley restore, and report what happened before.",
			"%s of the maintained counts differ from a recount of the conversations.", count(wrong, "cell", "cells")), nil
	}
	return ok("The maintained counts are correct for all %d conversations.", conversations), nil
}

// keys looks whether the shared keys are there. It does not show them.
func (e *examination) keys(ctx context.Context) (Finding, error) {
	want := []string{"ids", "cursors", "tokens"}
	if e.NATS != "" {
		want = append(want, "bus")
	}
	short := false
	err := e.rows(ctx, "SELECT name, LENGTH(value) FROM secrets", func(rows *sql.Rows) error {
		var name string
		var length int
		err := rows.Scan(&name, &length)
		if i := slices.Index(want, name); i >= 0 {
			want, short = slices.Delete(want, i, i+1), short || length < 32
		}
		return err
	})
	switch {
	case err != nil:
		return Finding{}, err
	case short:
		return fail("Restore the last backup with parley restore.", "A key is shorter than 32 bytes, so tokens and cursors could be guessed."), nil
	case slices.Equal(want, []string{"bus"}):
		return ok("The key of the bus is created when a server first uses --nats. All others are present."), nil
	case len(want) > 0:
		return e.unlessNew(ctx, warn("If the database was in use before, restore the last backup with parley restore; otherwise all tokens, ids and cursors change.",
			"These keys are missing and will be created at the next start: %v.", want))
	}
	return ok("All keys are present."), nil
}
