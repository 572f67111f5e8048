package feed

import (
	"context"

	"parley/internal/ground/store"
)

// entry is an event before it has a position.
type entry struct {
	*Event
	facts []byte
}

// entries writes the log's rows. A cursor points at an event's position, which is its
// key here.
var entries = &store.Deferred[entry]{Name: "append events", Stage: store.Logging, Do: appendEntries}

var entryColumns = []string{"id", "cause", "conversation_id", "message_id", "actor_id", "idempotency_key", "facts", "created_at"}

// mostEntries is how many rows a statement inserts.
const mostEntries = 500

func appendEntries(ctx context.Context, tx *store.Tx, entries []entry) error {
	for start := 0; start < len(entries); start += mostEntries {
		some := entries[start:min(start+mostEntries, len(entries))]
		args := make([]any, 0, len(some)*len(entryColumns))
		for i, e := range some {
			args = append(args, tx.First+int64(start+i), string(e.Cause), e.ConversationID, e.MessageID, e.ActorID, e.IdempotencyKey, e.facts, int64(tx.Now))
		}
		if _, err := tx.Exec(ctx, store.Insert("events", entryColumns, len(some)).With(args...)); err != nil {
			return err
		}
	}
	return nil
}
