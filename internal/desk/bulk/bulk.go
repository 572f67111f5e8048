// Package bulk applies one action to very many conversations: bulk operations, which mark
// read, mark unread or assign a set that was frozen when they began.
//
// A job works through an operation batch by batch. A batch is one transaction: the
// conversations are loaded under the creator's rights at that moment, the same pure
// functions decide each one as in a call for a few, and the outcomes are committed
// together with the changes and the operation's progress. So a crash loses nothing and
// repeats nothing, and another worker continues with the next batch.
package bulk

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/search"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/lease"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// inHand reads what belongs to operations that the viewer has seen. atWork reads for the jobs.
const (
	inHand = store.System("results of operations in hand")
	atWork = store.System("operations whose time has come")
)

// Bounds of bulk operations.
const (
	// MostConversations is how many an operation is for at most.
	MostConversations = 250_000
	// MostIDs is how many may be named by id.
	MostIDs = 10_000
	// MostOpen is how many an agent may have that have not ended.
	MostOpen = 5
	// MostKept is how many conversations the ended operations of an agent may hold
	// together, and MostKeptByAll those of all agents: the oldest go early. Ten
	// conversations take some 50 bytes.
	MostKept      = 1_000_000
	MostKeptByAll = 20_000_000
	// Lifetime is how long an operation and its results are kept after its end at
	// most, and how long one may be paused before it is stopped.
	Lifetime = 7 * 24 * time.Hour
)

// Linker has rules link conversations.
type Linker interface {
	// Lock is to be taken before the conversations are.
	Lock(ctx context.Context, tx *store.Tx) error
	// Relink links those that rules find a record for, and returns their keys.
	Relink(ctx context.Context, tx *store.Tx, rows []*conversation.Row, idempotencyKey string) (linked []int64, err error)
	// Undo takes back what Relink linked in writes of these times and nobody has changed
	// since, and returns the keys of those.
	Undo(ctx context.Context, tx *store.Tx, rows []*conversation.Row, at []clock.Time, idempotencyKey string) (undone []int64, err error)
}

// Service starts, works off and shows bulk operations.
type Service struct {
	// These are required. Search finds the conversations of a selection by words.
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Cursors       *feed.Cursors
	Conversations *conversation.Service
	Search        *search.Searcher
	Linker        Linker
	// BatchSize is how many conversations a transaction decides; 100 by default.
	BatchSize int
	// Lease is how long a worker may be silent before another takes over; 15 s by
	// default.
	Lease time.Duration
	// Begins is how many operations an agent may begin; nil for any number.
	Begins *quota.Quota

	largest int                      // for tests of MostConversations
	kept    struct{ own, all int64 } // for tests of MostKept and MostKeptByAll
}

func (f *Service) most() int { return cmp.Or(f.largest, MostConversations) }

func (f *Service) batchSize() int { return cmp.Or(f.BatchSize, 100) }

func (f *Service) lease() time.Duration { return cmp.Or(f.Lease, 15*time.Second) }

// reach is how far ahead a hold may lie.
func (f *Service) reach() time.Duration { return 2 * f.lease() }

// isOver reports whether the hold on an operation is over.
func (f *Service) isOver(op *Row, tx *store.Tx) bool {
	return lease.Over(op.heldUntil, tx.Now, f.reach())
}

// State is where an operation stands.
type State string

// The states. The last three are ends.
const (
	Pending   State = "PENDING"
	Running   State = "RUNNING"
	Paused    State = "PAUSED"
	Done      State = "DONE"
	Cancelled State = "CANCELLED"
	Stopped   State = "STOPPED"
)

// isKnown reports whether this version knows the state.
func (s State) isKnown() bool {
	switch s {
	case Pending, Running, Paused, Done, Cancelled, Stopped:
		return true
	}
	return false
}

// StopReason is why an operation ended early without being cancelled.
type StopReason string

// The reasons.
const (
	CreatorInactive StopReason = "CREATOR_INACTIVE"
	PausedTooLong   StopReason = "PAUSED_TOO_LONG"
)

// Shown is the reason as the graph shows it: none for one that is not known.
func (s StopReason) Shown() StopReason {
	if s == CreatorInactive || s == PausedTooLong {
		return s
	}
	return ""
}

// ErrNewer says that an operation is of a kind, or in a state, that only a newer
// version knows. It is left to the servers of that version.
var ErrNewer = errors.New("operation: only a newer version of Parley knows how to do this")

// Row is a bulk operation.
type Row struct {
	Key            int64
	Task           conversation.Task
	State          State
	Total          int64
	Done           int64
	Changed        int64
	CreatedAt      clock.Time
	IdempotencyKey string

	creator   int64
	stopped   StopReason
	batchSize int64
	refused   map[fault.Code]int64
	holder    int64
	heldUntil clock.Time
	started   clock.Time
	finished  clock.Time

	service *Service
}

var columns = []string{
	"id", "creator_id", "action", "assignee_id", "confirmed", "idempotency_key", "state", "stop_reason", "total", "batch_size",
	"done", "changed", "refused", "holder", "held_until", "created_at", "started_at", "finished_at",
}

func (f *Service) scan(rows *sql.Rows) (*Row, error) {
	r := &Row{service: f}
	var refused []byte
	err := rows.Scan(&r.Key, &r.creator, &r.Task.Action, &r.Task.Assignee, &r.Task.Confirmed, &r.IdempotencyKey, &r.State, &r.stopped,
		&r.Total, &r.batchSize, &r.Done, &r.Changed, &refused, &r.holder, &r.heldUntil, &r.CreatedAt, &r.started, &r.finished)
	if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(refused, &r.refused)
}

// IsNode marks a GraphQL Node.
func (*Row) IsNode() {}

// ID is the opaque id.
func (r *Row) ID() string { return r.service.IDs.Encode(publicid.BulkOperation, r.Key) }

// Action is what is done with each conversation.
func (r *Row) Action() conversation.Action { return r.Task.Action.Known() }

// ShownState is the state as the graph shows it: PENDING for one that is not known.
func (r *Row) ShownState() State {
	if r.State.isKnown() {
		return r.State
	}
	return Pending
}

// isKnown reports whether this version knows what the operation does, and where it
// stands.
func (r *Row) isKnown() bool { return r.Action() != conversation.OtherAction && r.State.isKnown() }

// Assignee is who gets the conversations; nil for nobody.
func (r *Row) Assignee() *directory.Agent {
	return r.service.Directory.Agent(r.Task.Assignee)
}

// ConfirmForOwner reports whether a colleague's read state may change.
func (r *Row) ConfirmForOwner() bool { return r.Task.Confirmed }

// CreatedBy is the agent under whose rights it is done.
func (r *Row) CreatedBy() *directory.Agent { return r.service.Directory.Agent(r.creator) }

// StopReason is why it is STOPPED; nil when it is not.
func (r *Row) StopReason() *StopReason { return table.Optional(r.stopped.Shown()) }

// StartedAt is when a worker began; nil before.
func (r *Row) StartedAt() *clock.Time { return table.Optional(r.started) }

// FinishedAt is when it ended; nil before.
func (r *Row) FinishedAt() *clock.Time { return table.Optional(r.finished) }

// ExpiresAt is when it and its results are removed at the latest; nil before its
// end.
func (r *Row) ExpiresAt() *clock.Time {
	if !r.Ended() {
		return nil
	}
	at := r.finished.Add(Lifetime)
	return &at
}

// Ended reports whether nothing more will happen.
func (r *Row) Ended() bool { return r.State == Done || r.State == Cancelled || r.State == Stopped }

// Refused is how many were refused.
func (r *Row) Refused() (n int64) {
	for _, count := range r.refused {
		n += count
	}
	return n
}

// Unchanged is how many were already as they should be.
func (r *Row) Unchanged() int64 { return r.Done - r.Changed - r.Refused() }

// Refusals is how many were refused for each reason, by its name.
func (r *Row) Refusals() []*RefusalCount { return refusals(r.refused) }

// RefusalCount is how many were refused for one reason.
type RefusalCount struct {
	Code  fault.Code
	Count int64
}

func refusals(refused map[fault.Code]int64) []*RefusalCount {
	known := map[fault.Code]int64{}
	for code, n := range refused {
		if !slices.Contains(verdicts, verdict{Refused, code}) {
			code = notKnown.code
		}
		known[code] += n
	}
	out := []*RefusalCount{}
	for code, n := range known {
		out = append(out, &RefusalCount{code, n})
	}
	slices.SortFunc(out, func(a, b *RefusalCount) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// visible keeps to the operations that v may see: their own, with ViewAllData
// everybody's. Nil when that is all.
func visible(v *viewer.Viewer) *entsql.Predicate {
	switch {
	case v == nil:
		return entsql.False()
	case v.Can(viewer.ViewAllData):
		return nil
	}
	return entsql.EQ("creator_id", v.AgentID)
}

func selected(b *entsql.DialectBuilder, where ...*entsql.Predicate) *entsql.Selector {
	q := b.Select(columns...).From(entsql.Table("bulk_operations"))
	for _, p := range where {
		if p != nil {
			q.Where(p)
		}
	}
	return q
}

// ByKey reads operations by key, as far as the viewer of ctx may see them.
func (f *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Row, error) {
	in := make([]any, len(keys))
	for i, k := range keys {
		in[i] = k
	}
	out := map[int64]*Row{}
	q := selected(f.Store.Builder(), entsql.In("id", in...), visible(viewer.FromContext(ctx)))
	err := f.Store.Read(ctx, viewer.FromContext(ctx), q, func(rows *sql.Rows) error {
		r, err := f.scan(rows)
		if err == nil {
			out[r.Key] = r
		}
		return err
	})
	return out, err
}

// Get reads an operation by its public id: NOT_FOUND when it is not there or the
// viewer of ctx may not see it.
func (f *Service) Get(ctx context.Context, id string) (*Row, error) {
	key, _ := f.IDs.Decode(publicid.BulkOperation, id)
	return f.get(ctx, key)
}

func (f *Service) get(ctx context.Context, key int64) (*Row, error) {
	rows, err := f.ByKey(ctx, []int64{key})
	if err == nil && rows[key] == nil {
		err = fault.Missing("bulk operation")
	}
	return rows[key], err
}

// load reads and locks an operation inside a write; nil when it is not there or
// the viewer of ctx may not see it.
func (f *Service) load(ctx context.Context, tx *store.Tx, key int64) (r *Row, err error) {
	q := selected(tx.Builder(), entsql.EQ("id", key), visible(viewer.FromContext(ctx)))
	if tx.Locks() {
		q.ForUpdate()
	}
	err = tx.Query(ctx, q, func(rows *sql.Rows) (err error) {
		r, err = f.scan(rows)
		return err
	})
	return r, err
}
