package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Selection says which conversations: those named by id, or those of a view,
// narrowed by a search and a filter.
type Selection struct {
	IDs      []string
	View     *conversation.View
	Search   *string `json:",omitempty"` // left out of an older request's hash
	FilterBy *conversation.Filter
}

// MarkInput asks for conversations to be marked read or unread.
type MarkInput struct {
	Selection       *Selection
	ConfirmForOwner bool
	DryRun          bool
	IdempotencyKey  string
}

// AssignInput asks for conversations to be given to an agent, or to nobody.
type AssignInput struct {
	Selection      *Selection
	AgentID        *string
	DryRun         bool
	IdempotencyKey string
}

// LinkInput asks for conversations to be linked by the rules of their channels.
type LinkInput struct {
	Selection      *Selection
	IdempotencyKey string
}

// Begun is the operation that was begun, or what a dry run found.
type Begun struct {
	Operation *Row
	Preview   *Preview
}

// Preview is what an operation would do at this moment.
type Preview struct {
	Total, Changed, Unchanged, Refused int64

	refused map[fault.Code]int64
}

// Refusals is how many would be refused for each reason, by its name.
func (p *Preview) Refusals() []*RefusalCount { return refusals(p.refused) }

// MarkRead begins to mark conversations as read, as far as they were written when
// the set was frozen. The key is once for all.
func (f *Service) MarkRead(ctx context.Context, in MarkInput) (Begun, error) {
	task := conversation.Task{Action: conversation.MarkingRead, Confirmed: in.ConfirmForOwner}
	return f.begin(ctx, request{"bulkMarkConversationsRead", in.IdempotencyKey, in, in.Selection, in.DryRun}, task, nil)
}

// MarkUnread begins to mark conversations as unread.
func (f *Service) MarkUnread(ctx context.Context, in MarkInput) (Begun, error) {
	task := conversation.Task{Action: conversation.MarkingUnread, Confirmed: in.ConfirmForOwner}
	return f.begin(ctx, request{"bulkMarkConversationsUnread", in.IdempotencyKey, in, in.Selection, in.DryRun}, task, nil)
}

// Assign begins to give conversations to an agent, or to nobody.
func (f *Service) Assign(ctx context.Context, in AssignInput) (Begun, error) {
	task, err := f.Conversations.Assigning(ctx, in.AgentID)
	return f.begin(ctx, request{"bulkAssignConversations", in.IdempotencyKey, in, in.Selection, in.DryRun}, task, err)
}

// Link begins to have rules link conversations that are anchored to no record.
func (f *Service) Link(ctx context.Context, in LinkInput) (Begun, error) {
	task := conversation.Task{Action: conversation.Linking}
	return f.begin(ctx, request{"bulkLinkConversations", in.IdempotencyKey, in, in.Selection, false}, task, f.Conversations.May(ctx, task))
}

// request is a mutation that begins an operation.
type request struct {
	mutation, key string
	input         any
	selection     *Selection
	dry           bool
}

// begin freezes the set and begins the operation, or tells what it would do.
// refused is why it may not be begun, nil when it may; a key that was used before
// gets its operation all the same.
//
// The set is read in one statement, before the write and beside it: a set of any
// size holds nobody up, and what it holds was so at one moment.
func (f *Service) begin(ctx context.Context, r request, task conversation.Task, refused error) (Begun, error) {
	if err := idempotency.CheckKey(r.key); err != nil {
		return Begun{}, err
	}
	var set frozen
	if refused == nil {
		set, refused = f.freeze(ctx, r.selection, task)
	}
	if r.dry {
		if refused != nil {
			return Begun{}, refused
		}
		return Begun{Preview: set.preview()}, nil
	}
	return f.begun(ctx, r, task, set.items, refused)
}

func (f *Service) begun(ctx context.Context, r request, task conversation.Task, items []item, refused error) (Begun, error) {
	key, err := f.beginOnce(ctx, r, task, items, refused)
	if err != nil {
		return Begun{}, err
	}
	op, err := f.get(ctx, key)
	return Begun{Operation: op}, err
}

// beginOnce begins the operation, or finds the one that the key began: then it
// counts for no quota.
func (f *Service) beginOnce(ctx context.Context, r request, task conversation.Task, items []item, refused error) (key int64, err error) {
	spending := quota.Spend(ctx, f.Begins)
	var repeated bool
	err = f.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		key, repeated, err = idempotency.Do(ctx, tx, r.mutation, r.key, r.input, func() (int64, error) {
			if refused != nil {
				return 0, refused
			}
			if err := spending.Take(); err != nil {
				return 0, err
			}
			return f.insert(ctx, tx, task, r.key, items)
		})
		return err
	})
	switch {
	case err != nil:
		spending.Return()
	case !repeated:
		f.makeRoom(ctx, viewer.FromContext(ctx).AgentID)
	}
	return key, err
}

// frozen is a set at one moment, and what the task would have done to it then.
type frozen struct {
	items []item
	would tally
}

func (s *frozen) add(it item, v verdict) {
	s.items = append(s.items, it)
	s.would.add(v)
}

func (s *frozen) preview() *Preview {
	p := &Preview{Total: s.would.done, Changed: s.would.changed, refused: s.would.refused}
	for _, n := range p.refused {
		p.Refused += n
	}
	p.Unchanged = p.Total - p.Changed - p.Refused
	return p
}

// freeze reads the set: what a search finds as searches are read, and the rest in
// turn with others that walk through many rows.
func (f *Service) freeze(ctx context.Context, s *Selection, task conversation.Task) (set frozen, err error) {
	read, err := f.reader(ctx, s, task)
	if err != nil {
		return frozen{}, err
	}
	err = f.Store.Scan(ctx, func(ctx context.Context) error {
		set, err = read(ctx)
		return err
	})
	return set, err
}

// reader is what reads the set that is selected.
func (f *Service) reader(ctx context.Context, s *Selection, task conversation.Task) (read func(context.Context) (frozen, error), err error) {
	switch {
	case s.IDs != nil && (s.View != nil || s.Search != nil || s.FilterBy != nil):
		return nil, fault.Input("input.selection", "Give either `ids`, or `view` or `search` with or without `filterBy`.")
	case s.IDs != nil:
		return func(ctx context.Context) (frozen, error) { return f.freezeNamed(ctx, s.IDs, task) }, nil
	case s.View == nil && s.Search == nil:
		return nil, fault.Input("input.selection", "Select conversations: give `ids`, `view` or `search`.")
	}
	source, err := f.source(ctx, s)
	if err != nil {
		return nil, under("input.selection.", err)
	}
	return func(ctx context.Context) (frozen, error) { return f.freezeAll(ctx, source, task) }, nil
}

// freezeAll takes everything of a set.
func (f *Service) freezeAll(ctx context.Context, source conversation.Set, task conversation.Task) (set frozen, err error) {
	var wrong error
	err = f.Conversations.Each(ctx, source, f.most()+1, func(row *conversation.Row) {
		it := item{row.Key, row.InboundCount}
		v, err := judge(ctx, task, row, it)
		set.add(it, v)
		wrong = orElse(wrong, err)
	})
	if err = orElse(err, wrong); err == nil && len(set.items) > f.most() {
		err = &fault.Error{Code: fault.LimitExceeded, Field: "input.selection", Message: fmt.Sprintf(
			"A bulk operation may have at most %d conversations. Narrow the selection with a filter, such as lastMessageBefore, and begin several operations.", f.most())}
	}
	return set, err
}

// source is the view with its filter, or what a search finds of it.
func (f *Service) source(ctx context.Context, s *Selection) (conversation.Set, error) {
	view := conversation.View{Kind: conversation.All}
	if s.View != nil {
		view = *s.View
	}
	scope, err := f.Conversations.Scope(ctx, viewer.FromContext(ctx), view, s.FilterBy)
	if err != nil || s.Search == nil {
		return scope, err
	}
	keys, err := f.found(ctx, view, *s.Search)
	return conversation.Among(scope, keys), err
}

// freezeNamed takes each id once, in the order given. One that the viewer does
// not see is in the set too, to be refused as it is in a call for a few.
func (f *Service) freezeNamed(ctx context.Context, ids []string, task conversation.Task) (set frozen, err error) {
	if len(ids) == 0 || len(ids) > MostIDs {
		return set, fault.Input("input.selection.ids", "Give 1 to %d conversations, not %d. Use a view to select more.", MostIDs, len(ids))
	}
	var keys []int64
	place := map[int64]int{}
	for _, id := range ids {
		key, ok := f.IDs.Decode(publicid.Conversation, id)
		if !ok {
			return set, fault.Input("input.selection.ids", "%.40q is not the id of a conversation.", id)
		}
		if _, twice := place[key]; !twice {
			place[key] = len(keys)
			keys = append(keys, key)
		}
	}
	items, found := make([]item, len(keys)), make([]verdict, len(keys))
	for i, key := range keys {
		items[i], found[i] = item{key: key}, verdict{Refused, fault.NotFound}
	}
	var wrong error
	err = f.Conversations.Each(ctx, conversation.Among(conversation.Everything(viewer.FromContext(ctx)), keys), len(keys), func(row *conversation.Row) {
		i := place[row.Key]
		items[i].inbound = row.InboundCount
		found[i], err = judge(ctx, task, row, items[i])
		wrong = orElse(wrong, err)
	})
	for i := range items {
		set.add(items[i], found[i])
	}
	return set, orElse(err, wrong)
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// under says where in the input a field at fault stands.
func under(path string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Field != "" {
		moved := *f
		moved.Field = path + f.Field
		return &moved
	}
	return err
}

// insert writes the operation with its batches and its job.
func (f *Service) insert(ctx context.Context, tx *store.Tx, task conversation.Task, key string, items []item) (id int64, err error) {
	creator := viewer.FromContext(ctx).AgentID
	if err := f.room(ctx, tx, creator); err != nil {
		return 0, err
	}
	state, finished := Pending, int64(0)
	if len(items) == 0 {
		state, finished = Done, int64(tx.Now)
	}
	insert := tx.Builder().Insert("bulk_operations").
		Columns("creator_id", "action", "assignee_id", "confirmed", "idempotency_key", "state", "total", "batch_size", "refused",
			"held_until", "created_at", "touched_at", "finished_at").
		Values(creator, string(task.Action), task.Assignee, task.Confirmed, key, string(state), len(items), f.batchSize(), "{}",
			int64(tx.Now.Add(f.lease())), int64(tx.Now), int64(tx.Now), finished).
		Returning("id")
	if err := tx.Query(ctx, insert, func(rows *sql.Rows) error { return rows.Scan(&id) }); err != nil {
		return 0, err
	}
	if len(items) > 0 {
		enqueue(tx, id)
	}
	return id, f.insertBatches(ctx, tx, id, items)
}

func (f *Service) insertBatches(ctx context.Context, tx *store.Tx, operation int64, items []item) error {
	var rows [][]any
	for number := 0; len(items) > 0; number++ {
		n := min(f.batchSize(), len(items))
		rows = append(rows, []any{operation, int64(number), pack(items[:n])})
		items = items[n:]
	}
	return tx.InsertRows(ctx, "bulk_batches", []string{"operation_id", "number", "items"}, rows)
}

// room refuses an agent who has too many operations that have not ended. Two
// processes count one after the other.
func (f *Service) room(ctx context.Context, tx *store.Tx, agent int64) error {
	if tx.Locks() {
		lock := tx.Builder().Select("id").From(entsql.Table("agents")).Where(entsql.EQ("id", agent)).ForUpdate()
		if err := tx.Query(ctx, lock, func(*sql.Rows) error { return nil }); err != nil {
			return err
		}
	}
	open := 0
	q := tx.Builder().Select("COUNT(*)").From(entsql.Table("bulk_operations")).
		Where(entsql.And(entsql.EQ("creator_id", agent), entsql.EQ("finished_at", 0)))
	err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&open) })
	if err == nil && open >= MostOpen {
		err = fault.New(fault.LimitExceeded, "You have the maximum of %d bulk operations that have not ended. Wait for one to end, or cancel one.", MostOpen)
	}
	return err
}
