package bulk_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// twins are two Parleys to which the same happens, but that one has bulk
// operations where the other has the same conversations put to it by calls for a
// few, at the moments of the batches.
type twins struct {
	t            *testing.T
	bulk, single *bundle
	rng          *mathrand.Rand
	customers    int
}

func newTwins(t *testing.T) *twins {
	tw := &twins{t, setup(t), setup(t), mathrand.New(mathrand.NewPCG(20, 27)), 24}
	for i := range tw.customers {
		to := []string{parleytest.Sales, parleytest.Direct, parleytest.Support}[i%3]
		for range 1 + i%2 {
			tw.both(func(b *bundle) { b.Say(customer(i), to, "Hello") })
		}
	}
	return tw
}

func (tw *twins) both(do func(b *bundle)) {
	tw.t.Helper()
	do(tw.bulk)
	do(tw.single)
}

// rows tells all of both that operations can change.
func (b *bundle) rows() (rows []string) {
	b.T.Helper()
	const all = "SELECT id, COALESCE(owner_id, 0), assigned, is_unread, inbound_count, read_count FROM conversations ORDER BY id"
	require.NoError(b.T, b.Store.Read(context.Background(), store.System("a test looks"), store.SQL(all), func(r *sql.Rows) error {
		var id, owner, inbound, read int64
		var assigned, unread bool
		err := r.Scan(&id, &owner, &assigned, &unread, &inbound, &read)
		rows = append(rows, fmt.Sprint(id, " owner ", owner, assigned, " unread ", unread, " ", read, " of ", inbound))
		return err
	}))
	return rows
}

func (tw *twins) one(names ...string) string { return names[tw.rng.IntN(len(names))] }

func (tw *twins) agentID(name string) *string {
	if name == "" {
		return nil
	}
	return ptr(tw.bulk.Conversations.IDs.Encode(publicid.Agent, tw.bulk.Directory.AgentNamed(name).Key))
}

// disturb has something happen to both.
func (tw *twins) disturb() {
	who, id := tw.one("amy", "bo", "sue", "ada"), tw.someIDs(1)
	n, to := tw.rng.IntN(tw.customers), tw.agentID(tw.one("amy", "bo", "sue", ""))
	member := tw.rng.IntN(2) == 0
	var do func(b *bundle) error
	switch tw.rng.IntN(6) {
	case 0:
		do = func(b *bundle) error { _, err := b.Conversations.MarkUnread(b.Context(who), id, true); return err }
	case 1:
		do = func(b *bundle) error {
			_, err := b.Conversations.MarkRead(b.Context(who), markItems(id), true)
			return err
		}
	case 2:
		do = func(b *bundle) error { _, err := b.Conversations.Assign(b.Context(who), id, to); return err }
	case 3:
		do = func(b *bundle) error { return b.share(member) }
	default:
		tw.both(func(b *bundle) {
			b.Say(customer(n), []string{parleytest.Sales, parleytest.Direct, parleytest.Support}[n%3], "More")
		})
		return
	}
	tw.both(func(b *bundle) {
		if code := fault.CodeOf(do(b)); code != "" {
			require.Equal(tw.t, fault.Forbidden, code)
		}
	})
}

// share lets bo send from the number for sales, or not.
func (b *bundle) share(with bool) error {
	return b.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		bo := tx.Ent.Agent.Update().Where(agent.Username("bo")).ClearChannels()
		if with {
			for _, ch := range b.Directory.Channels() {
				if ch.Address == parleytest.Sales {
					bo.AddChannelIDs(ch.Key)
				}
			}
		}
		return bo.Exec(ctx)
	})
}

func (tw *twins) someIDs(n int) (ids []string) {
	all := tw.bulk.ids("ada")
	for range n {
		ids = append(ids, all[tw.rng.IntN(len(all))])
	}
	return ids
}

func (tw *twins) selection() *bulk.Selection {
	switch tw.rng.IntN(4) {
	case 0:
		return &bulk.Selection{IDs: tw.someIDs(1 + tw.rng.IntN(12))}
	case 1:
		return all(&conversation.Filter{IsUnread: ptr(tw.rng.IntN(2) == 0)})
	case 2:
		return &bulk.Selection{View: &conversation.View{Kind: conversation.MyInbox}}
	}
	return all(nil)
}

// task is what a round does: all at once, or with a few.
type task struct {
	who       string
	action    conversation.Action
	confirmed bool
	to        *string
}

func (k task) begin(b *bundle, s *bulk.Selection) (bulk.Begun, error) {
	mark := bulk.MarkInput{Selection: s, ConfirmForOwner: k.confirmed, IdempotencyKey: rand.Text()}
	switch k.action {
	case conversation.MarkingRead:
		return b.Bulk.MarkRead(b.Context(k.who), mark)
	case conversation.MarkingUnread:
		return b.Bulk.MarkUnread(b.Context(k.who), mark)
	}
	return b.Bulk.Assign(b.Context(k.who), bulk.AssignInput{Selection: s, AgentID: k.to, IdempotencyKey: rand.Text()})
}

// call puts a few to the single twin, reading up to the messages given.
func (k task) call(b *bundle, ids []string, upTo map[string]*string) ([]*conversation.Result, error) {
	switch k.action {
	case conversation.MarkingRead:
		items := markItems(ids)
		for _, it := range items {
			it.UpToMessageID = upTo[it.ID]
		}
		return b.Conversations.MarkRead(b.Context(k.who), items, k.confirmed)
	case conversation.MarkingUnread:
		return b.Conversations.MarkUnread(b.Context(k.who), ids, k.confirmed)
	}
	return b.Conversations.Assign(b.Context(k.who), ids, k.to)
}

// newest is the newest message of each conversation now.
func (b *bundle) newest() map[string]*string {
	b.T.Helper()
	upTo := map[string]*string{}
	const newest = "SELECT conversation_id, MAX(id) FROM messages GROUP BY conversation_id"
	require.NoError(b.T, b.Store.Read(context.Background(), store.System("a test looks"), store.SQL(newest), func(r *sql.Rows) error {
		var key, message int64
		err := r.Scan(&key, &message)
		upTo[b.Conversations.IDs.Encode(publicid.Conversation, key)] = ptr(b.Conversations.IDs.Encode(publicid.Message, message))
		return err
	}))
	return upTo
}

// An operation leaves behind what single calls would, whatever happens between
// its batches, and tells the same of each.
func TestAnOperationDoesWhatSingleCallsDo(t *testing.T) {
	t.Parallel()
	tw := newTwins(t)
	outcomes := map[bulk.Outcome]int{}
	codes := map[fault.Code]int{}
	for range 40 {
		k := task{
			who:       tw.one("amy", "bo", "sue", "ada"),
			action:    []conversation.Action{conversation.MarkingRead, conversation.MarkingUnread, conversation.Assigning}[tw.rng.IntN(3)],
			confirmed: tw.rng.IntN(2) == 0,
			to:        tw.agentID(tw.one("amy", "bo", "sue", "")),
		}
		s := tw.selection()
		seen := map[string]bool{}
		for _, id := range tw.bulk.ids(k.who) {
			seen[id] = true
		}
		upTo := tw.single.newest()
		begun, err := k.begin(tw.bulk, s)
		if err != nil {
			require.Equal(t, fault.Forbidden, fault.CodeOf(err), "%v by %s", k.action, k.who)
			_, err = k.call(tw.single, tw.someIDs(1), upTo)
			require.Equal(t, fault.Forbidden, fault.CodeOf(err))
			continue
		}
		tw.round(k, begun.Operation, seen, upTo)
		for _, r := range tw.bulk.results(begun.Operation, nil) {
			outcomes[r.Outcome]++
			codes[fault.CodeOf(errorOf(r.Error()))]++
		}
	}
	for _, o := range []bulk.Outcome{bulk.Changed, bulk.Unchanged, bulk.Refused} {
		require.Positive(t, outcomes[o], o)
	}
	for _, c := range []fault.Code{fault.NotFound, fault.Forbidden, fault.ConfirmationNeeded} {
		require.Positive(t, codes[c], c)
	}
	require.Zero(t, outcomes[bulk.Waiting])
}

func errorOf(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}

func (tw *twins) round(k task, op *bulk.Row, seen map[string]bool, upTo map[string]*string) {
	tw.t.Helper()
	var waiting []string
	for _, r := range tw.bulk.results(op, nil) {
		require.Equal(tw.t, bulk.Waiting, r.Outcome)
		waiting = append(waiting, r.ConversationID())
	}
	var told []*conversation.Result
	work := tw.bulk.Bulk.Hold(op)
	for more := len(waiting) > 0; more; {
		tw.disturb()
		more = tw.bulk.step(work)
		n := min(3, len(waiting))
		told = append(told, tw.few(k, waiting[:n], seen, upTo)...)
		waiting = waiting[n:]
		require.Equal(tw.t, tw.single.rows(), tw.bulk.rows())
	}
	op = tw.bulk.now(op)
	require.Equal(tw.t, bulk.Done, op.State)
	results := tw.bulk.results(op, nil)
	require.Len(tw.t, results, len(told))
	for i, r := range results {
		if told[i] == nil {
			require.NotEqual(tw.t, bulk.Changed, r.Outcome)
			continue
		}
		require.Equal(tw.t, told[i].GivenID, r.ConversationID())
		require.Equal(tw.t, fault.CodeOf(errorOf(told[i].Error)), fault.CodeOf(errorOf(r.Error())), r.ConversationID())
	}
	tw.both(func(b *bundle) { b.pass(time.Second) })
}

// few puts a batch to the single twin; nil for what is not put to it: of what the
// creator did not see when the set was frozen they have read nothing, and the rows
// tell whether that was so.
func (tw *twins) few(k task, ids []string, seen map[string]bool, upTo map[string]*string) (told []*conversation.Result) {
	tw.t.Helper()
	for _, id := range ids {
		if k.action == conversation.MarkingRead && !seen[id] {
			told = append(told, nil)
			continue
		}
		one, err := k.call(tw.single, []string{id}, upTo)
		if err != nil { // the permission was lost
			one = []*conversation.Result{{GivenID: id, Error: &fault.Error{Code: fault.CodeOf(err)}}}
		}
		told = append(told, one...)
	}
	return told
}
