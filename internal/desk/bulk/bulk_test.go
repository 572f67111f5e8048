package bulk_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

func TestTheSetIsFrozen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(7, parleytest.Sales)
	amy := b.Context("amy")
	frozen := b.ids("amy")
	op := b.begun(b.Bulk.MarkRead(amy, reading(all(&conversation.Filter{IsUnread: ptr(true)}))))
	require.EqualValues(t, 7, op.Total)

	b.Say(customer(100), parleytest.Sales, "I come too late")
	b.Say(customer(0), parleytest.Sales, "And this stays new")
	_, err := b.Conversations.MarkRead(amy, []*conversation.MarkItem{{ID: frozen[0]}}, false)
	require.NoError(t, err)

	op = b.finish(op)
	require.Equal(t, bulk.Done, op.State)
	require.EqualValues(t, 6, op.Changed)
	require.EqualValues(t, 1, op.Unchanged())
	var of []string
	for _, r := range b.results(op, nil) {
		of = append(of, r.ConversationID())
	}
	require.Equal(t, frozen, of, "in the order of the list, without who came later")
	again, err := b.Conversations.Get(amy, frozen[6])
	require.NoError(t, err)
	require.True(t, again.IsUnread)
	require.Equal(t, 1, again.NewCount(), "one of two was there when the set was frozen")
}

func TestADryRunTellsWhatTheRunDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(8, parleytest.Sales)
	b.fill(5, parleytest.Direct)
	b.fill(4, parleytest.Support)
	_, err := b.Conversations.MarkRead(b.Context("ada"), []*conversation.MarkItem{{ID: b.ids("ada")[0]}}, true)
	require.NoError(t, err)
	bo := b.Conversations.IDs.Encode(publicid.Agent, b.Directory.AgentNamed("bo").Key)
	for _, who := range []string{"ada", "sue", "amy", "bo"} {
		for name, s := range map[string]*bulk.Selection{
			"everything":          all(nil),
			"unread":              all(&conversation.Filter{IsUnread: ptr(true)}),
			"the owner's":         {View: &conversation.View{Kind: conversation.MyInbox}},
			"named, some unseen":  {IDs: append(b.ids("ada"), b.ids("ada")[0])},
			"nobody's, of a time": all(&conversation.Filter{IsAssigned: ptr(false), LastMessageBefore: ptr(b.Store.Clock.Now().Add(time.Hour))}),
			"what was sent":       {View: &conversation.View{Kind: conversation.Sent}},
		} {
			for action, begin := range map[string]func(dry bool) (bulk.Begun, error){
				"read": func(dry bool) (bulk.Begun, error) {
					return b.Bulk.MarkRead(b.Context(who), bulk.MarkInput{Selection: s, DryRun: dry, IdempotencyKey: rand.Text()})
				},
				"unread": func(dry bool) (bulk.Begun, error) {
					return b.Bulk.MarkUnread(b.Context(who), bulk.MarkInput{Selection: s, ConfirmForOwner: true, DryRun: dry, IdempotencyKey: rand.Text()})
				},
				"assign": func(dry bool) (bulk.Begun, error) {
					return b.Bulk.Assign(b.Context(who), bulk.AssignInput{Selection: s, AgentID: &bo, DryRun: dry, IdempotencyKey: rand.Text()})
				},
			} {
				before := b.number("SELECT COUNT(*) FROM events") + b.number("SELECT COUNT(*) FROM bulk_operations") + b.number("SELECT COUNT(*) FROM idempotency_keys")
				dry, refused := begin(true)
				after := b.number("SELECT COUNT(*) FROM events") + b.number("SELECT COUNT(*) FROM bulk_operations") + b.number("SELECT COUNT(*) FROM idempotency_keys")
				require.Equal(t, before, after, "it leaves nothing behind")
				real, err := begin(false)
				require.Equal(t, fault.CodeOf(refused), fault.CodeOf(err))
				if err != nil {
					continue
				}
				require.Nil(t, dry.Operation)
				op := b.finish(real.Operation)
				what := fmt.Sprint(who, " ", action, " ", name)
				require.Equal(t, dry.Preview.Total, op.Total, what)
				require.Equal(t, dry.Preview.Changed, op.Changed, what)
				require.Equal(t, dry.Preview.Unchanged, op.Unchanged(), what)
				require.Equal(t, dry.Preview.Refused, op.Refused(), what)
				require.Equal(t, dry.Preview.Refusals(), op.Refusals(), what)
			}
		}
	}
	require.Positive(t, b.number("SELECT COUNT(*) FROM bulk_operations WHERE changed > 0"))
	require.Positive(t, b.number(`SELECT COUNT(*) FROM bulk_operations WHERE CAST(refused AS TEXT) LIKE '%NOT_FOUND%'`))
	require.Positive(t, b.number(`SELECT COUNT(*) FROM bulk_operations WHERE CAST(refused AS TEXT) LIKE '%FORBIDDEN%'`))
	require.Positive(t, b.number(`SELECT COUNT(*) FROM bulk_operations WHERE CAST(refused AS TEXT) LIKE '%CONFIRMATION_REQUIRED%'`))
}

func TestPauseResumeAndCancel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(10, parleytest.Sales)
	amy := b.Context("amy")
	op := b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	id, first := op.ID(), b.Bulk.Hold(op)
	require.Equal(t, bulk.Pending, op.State)
	require.True(t, b.step(first))
	require.EqualValues(t, 3, b.now(op).Done)

	for range 2 { // pausing what is paused is no fault
		paused, err := b.Bulk.Pause(amy, id)
		require.NoError(t, err)
		require.Equal(t, bulk.Paused, paused.State)
	}
	require.False(t, b.step(first))
	require.False(t, b.step(b.Bulk.Hold(op)))
	require.EqualValues(t, 3, b.now(op).Done)

	jobs := b.number("SELECT COUNT(*) FROM river_job WHERE kind = 'bulk_work'")
	for range 2 {
		_, err := b.Bulk.Resume(amy, id)
		require.NoError(t, err)
	}
	require.Equal(t, jobs+1, b.number("SELECT COUNT(*) FROM river_job WHERE kind = 'bulk_work'"), "one job goes on")
	second := b.Bulk.Hold(op)
	require.True(t, b.step(second))
	require.False(t, b.step(first), "who held it before the pause has lost it")
	require.Equal(t, bulk.Running, b.now(op).State)

	for range 2 {
		ended, err := b.Bulk.Cancel(amy, id)
		require.NoError(t, err)
		require.Equal(t, bulk.Cancelled, ended.State)
	}
	require.False(t, b.step(second))
	op = b.now(op)
	require.EqualValues(t, 6, op.Done)
	require.NotNil(t, op.FinishedAt())
	require.Len(t, b.results(op, ptr(bulk.Waiting)), 4)
	require.Len(t, b.results(op, ptr(bulk.Changed)), 6)

	done := b.finish(b.begun(b.Bulk.MarkRead(amy, reading(all(nil)))))
	for _, control := range []func(context.Context, string) (*bulk.Row, error){b.Bulk.Pause, b.Bulk.Resume, b.Bulk.Cancel} {
		_, err := control(amy, done.ID())
		require.Equal(t, fault.Conflict, fault.CodeOf(err))
		_, err = control(b.Context("bo"), id)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), "it is amy's")
	}
}

func TestAKeyBeginsOneOperation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(4, parleytest.Sales)
	amy, in := b.Context("amy"), reading(all(nil))
	var begins sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		begins.Go(func() {
			if begun, err := b.Bulk.MarkRead(amy, in); err == nil {
				ids[i] = begun.Operation.ID()
			}
		})
	}
	begins.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.NotEmpty(t, ids[0])
	require.Equal(t, 1, b.number("SELECT COUNT(*) FROM bulk_operations"))
	b.Bulk.SetMost(3)
	begun, err := b.Bulk.MarkRead(amy, in)
	require.NoError(t, err, "whatever would be said to a new one")
	require.Equal(t, ids[0], begun.Operation.ID())
	in.ConfirmForOwner = true
	_, err = b.Bulk.MarkRead(amy, in)
	require.Equal(t, fault.IdempotencyConflict, fault.CodeOf(err))
	_, err = b.Bulk.MarkRead(amy, reading(all(nil)))
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err), "four are more than three")
	_, err = b.Bulk.MarkRead(amy, reading(&bulk.Selection{IDs: b.ids("amy")}))
	require.NoError(t, err)
}

func TestAnAgentHasFewOpenOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(1, parleytest.Sales)
	amy := b.Context("amy")
	var open []*bulk.Row
	for range bulk.MostOpen {
		open = append(open, b.begun(b.Bulk.MarkRead(amy, reading(all(nil)))))
	}
	_, err := b.Bulk.MarkRead(amy, reading(all(nil)))
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	b.begun(b.Bulk.MarkRead(b.Context("bo"), reading(all(nil))))
	b.finish(open[0])
	b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	empty := b.begun(b.Bulk.MarkRead(b.Context("bo"), reading(all(&conversation.Filter{ObjectType: ptr("None__c")}))))
	require.Equal(t, bulk.Done, empty.State, "there is nothing to do")
	require.Empty(t, b.results(empty, nil))
}

func TestOperationsAreForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(4, parleytest.Sales)
	amy := b.Context("amy")
	done := b.finish(b.begun(b.Bulk.MarkRead(amy, reading(all(nil)))))
	paused := b.begun(b.Bulk.MarkUnread(amy, reading(all(nil))))
	_, err := b.Bulk.Pause(amy, paused.ID())
	require.NoError(t, err)
	b.pass(bulk.Lifetime - time.Minute)
	forget := func() int {
		_, err := b.Bulk.Sweep(b.System())
		require.NoError(t, err)
		n, err := b.Bulk.Forget(b.System())
		require.NoError(t, err)
		return n
	}
	require.Zero(t, forget())
	require.Equal(t, bulk.Paused, b.now(paused).State)
	b.pass(2 * time.Minute)
	require.Equal(t, 1, forget())
	_, err = b.Bulk.Get(amy, done.ID())
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Equal(t, bulk.PausedTooLong, *b.now(paused).StopReason())
	b.pass(bulk.Lifetime + time.Minute)
	require.Equal(t, 1, forget())
	require.Zero(t, b.number("SELECT COUNT(*) FROM bulk_batches"))
}

// A batch costs so many statements, and one for each way in which it changes
// conversations, however many they are.
func TestTheStatementsOfABatchArePinned(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	b := &bundle{parleytest.New(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, s string) func(error) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, s)
			return nil
		}
	})}
	b.Bulk.BatchSize = 10
	b.fill(20, parleytest.Sales)
	statements := func(do func()) int {
		mu.Lock()
		seen = nil
		mu.Unlock()
		do()
		mu.Lock()
		defer mu.Unlock()
		return len(seen)
	}
	var op *bulk.Row
	// Set; key, open ones, operation, batches, key's result; room among what is kept;
	// operation as answered; on PostgreSQL the lock of the agent besides.
	begin := statements(func() { op = b.begun(b.Bulk.MarkRead(b.Context("amy"), reading(all(nil)))) })
	most := 8
	if b.Store.Dialect() == dialect.Postgres {
		most++
	}
	require.LessOrEqual(t, begin, most)
	work := b.Bulk.Hold(op)
	// Operation, items, conversations; the rows, which change alike; outcomes,
	// operation; head, cells, events.
	require.Equal(t, 3+1+2+3, statements(func() { b.step(work) }))
	_, err := b.Conversations.MarkRead(b.Context("amy"), markItems(b.ids("amy")[10:]), false)
	require.NoError(t, err)
	require.Equal(t, 3+2+2, statements(func() { b.step(work) }), "nothing happened to them, so no count moved")
	op = b.now(op)
	for _, n := range []int{1, 100} {
		require.Equal(t, 1, statements(func() {
			_, err := b.Bulk.Results(b.System(), []*bulk.Row{op, op}, nil, bulk.Window{Size: n})
			require.NoError(t, err)
		}))
	}
}

func markItems(ids []string) (items []*conversation.MarkItem) {
	for _, id := range ids {
		items = append(items, &conversation.MarkItem{ID: id})
	}
	return items
}
