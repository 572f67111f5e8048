package conversation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/count"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// toil has workers work at the same time.
func (w *world) toil(workers, steps int) {
	w.T.Helper()
	errs := make(chan error, workers*steps)
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			k := &worker{w: w, name: fmt.Sprint("w", n), rng: rand.New(rand.NewPCG(1, uint64(n))), customers: 6}
			for range steps {
				if err := k.do(); err != nil {
					errs <- err
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(w.T, err)
	}
}

// After much work at once every copy that the database keeps beside the truth
// equals a naive recount, and every count that a viewer is shown, a pass over
// all conversations.
func TestCountsEqualANaiveRecountAfterConcurrentWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(40)
	w.toil(8, 30)
	all := w.facts()
	require.Greater(t, len(all), 60)

	require.Equal(t, w.recount(), w.cells())
	w.requireCopiesHold(t)
	for _, username := range []string{"amy", "bo", "cy", "dee", "sue", "ada"} {
		v := w.viewer(username)
		list, err := w.Conversations.Inboxes(viewer.NewContext(t.Context(), v))
		require.NoError(t, err)
		shown := map[question]conversation.Counts{}
		for _, in := range list.Inboxes {
			shown[w.questionOf(in)] = in.Counts
		}
		require.Len(t, shown, len(list.Inboxes), "each inbox once")
		for q, counts := range shown {
			require.Equal(t, q.counts(v, all), counts, "%s's %+v", username, q)
		}
		w.requireTotals(t, v, all)
	}
}

// questionOf is the inbox as a question.
func (w *world) questionOf(in *conversation.Inbox) question {
	q := question{kind: in.Kind}
	if in.Subject == nil {
		return q
	}
	_, key, _ := w.Conversations.IDs.Parse(*in.Subject)
	switch in.Kind {
	case conversation.SenderID:
		q.channel = key
	case conversation.TeamInbox:
		q.agent = key
	default:
		q.object = *in.Subject
	}
	return q
}

// requireTotals asks every view with every filter for its total and walks it.
func (w *world) requireTotals(t *testing.T, v *viewer.Viewer, all map[int64]*feed.Facts) {
	for _, q := range w.everyQuestion() {
		if !q.known(v) {
			continue
		}
		want := q.keys(v, all)
		page, err := w.Conversations.List(viewer.NewContext(t.Context(), v), q.view(w), q.filter(w), nil, conversation.Window{Size: 1}, conversation.Selected{})
		require.NoError(t, err)
		total, err := w.Conversations.Total(t.Context(), page.Scope)
		require.NoError(t, err)
		require.Equal(t, int64(len(want)), total, "%+v", q)
		require.Equal(t, want, w.walk(v, q, 30), "%+v", q)
	}
}

// everyQuestion is every view with every filter by itself.
func (w *world) everyQuestion() []question {
	views := []question{
		{kind: conversation.All},
		{kind: conversation.MyInbox},
		{kind: conversation.Sent},
		{kind: conversation.Unassigned},
		{kind: conversation.SenderID, channel: w.numbers[0]},
		{kind: conversation.TeamInbox, agent: w.agent["amy"]},
		{kind: conversation.ObjectType, object: "Contact"},
		{kind: conversation.OfRecord, record: w.records[0]},
	}
	filters := []func(*question){
		func(*question) {},
		func(q *question) { q.unread = ptr(true) }, func(q *question) { q.unread = ptr(false) },
		func(q *question) { q.assigned = ptr(true) }, func(q *question) { q.assigned = ptr(false) },
		func(q *question) { q.filterObject = ptr("Lead") }, func(q *question) { q.filterChannel = ptr(w.numbers[0]) },
		func(q *question) { q.filterOwn = ptr(w.agent["amy"]) }, func(q *question) { q.direction = ptr(content.Outbound) },
		func(q *question) { q.before = ptr(w.Clock.Now()) }, func(q *question) { q.from = ptr(w.Clock.Now()) },
	}
	var out []question
	for _, q := range views {
		for _, f := range filters {
			q := q
			f(&q)
			out = append(out, q)
		}
	}
	return out
}

type counted struct {
	count.Cell
	count.Tally
}

func (w *world) counted(q store.Query) []counted {
	var out []counted
	var c counted
	w.read(q, func() {
		if c.Tally != (count.Tally{}) {
			out = append(out, c)
		}
	}, &c.Owner, &c.Channel, &c.Queue, &c.ObjectType, &c.Conversations, &c.WithInbound, &c.Unread, &c.UnreadInbound, &c.New)
	slices.SortFunc(out, func(a, b counted) int {
		return slices.Compare([]int64{a.Owner, a.Channel, a.Queue, int64(len(a.ObjectType))}, []int64{b.Owner, b.Channel, b.Queue, int64(len(b.ObjectType))})
	})
	return out
}

func (w *world) cells() []counted {
	return w.counted(sqlText{text: `SELECT owner_id, channel_id, queue_id, object_type,
		conversations, with_inbound, unread, unread_inbound, new FROM count_cells`})
}

func (w *world) recount() []counted {
	return w.counted(sqlText{text: `SELECT COALESCE(owner_id, 0), channel_id, COALESCE(queue_id, 0), object_type, COUNT(*),
		SUM(CASE WHEN inbound_count > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN is_unread THEN 1 ELSE 0 END),
		SUM(CASE WHEN is_unread AND inbound_count > 0 THEN 1 ELSE 0 END), SUM(inbound_count - read_count)
		FROM conversations WHERE merged_into IS NULL GROUP BY 1, 2, 3, 4`})
}

// requireCopiesHold compares what conversations and participants copy with the
// messages they copy it from.
func (w *world) requireCopiesHold(t *testing.T) {
	for what, query := range map[string]string{
		"numbers are dense": `SELECT COUNT(*) FROM (SELECT conversation_id FROM messages GROUP BY conversation_id
			HAVING MIN(seq) <> 1 OR MAX(seq) <> COUNT(*)) AS x WHERE conversation_id < 1000000`,
		"the last number is the messages' count": `SELECT COUNT(*) FROM conversations AS c WHERE c.id < 1000000 AND
			c.last_seq <> (SELECT COUNT(*) FROM messages AS m WHERE m.conversation_id = c.id)`,
		"the inbound count is the inbounds' count": `SELECT COUNT(*) FROM conversations AS c WHERE c.id < 1000000 AND
			c.inbound_count - c.earlier_inbound <> (SELECT COUNT(*) FROM messages AS m WHERE m.conversation_id = c.id AND m.direction = 'INBOUND')`,
		"the last message is the last that is no note": `SELECT COUNT(*) FROM conversations AS c WHERE c.id < 1000000 AND
			c.last_message_id <> (SELECT m.id FROM messages AS m WHERE m.conversation_id = c.id AND m.direction <> '' ORDER BY m.seq DESC LIMIT 1)`,
		"earlier messages are those of the merged": `SELECT COUNT(*) FROM conversations AS c WHERE
			c.earlier_messages <> (SELECT COALESCE(SUM(m.last_seq - m.first_seq + 1), 0) FROM conversations AS m WHERE m.merged_into = c.id)`,
		"earlier inbounds are those of the merged": `SELECT COUNT(*) FROM conversations AS c WHERE
			c.earlier_inbound <> (SELECT COALESCE(SUM(m.inbound_count), 0) FROM conversations AS m WHERE m.merged_into = c.id)`,
		"nobody is merged into the merged": `SELECT COUNT(*) FROM conversations AS c JOIN conversations AS m ON m.id = c.merged_into
			JOIN messaging_users AS u ON u.id = c.messaging_user_id WHERE m.merged_into IS NOT NULL OR u.merged_into <> m.messaging_user_id`,
		"the merged are below every list": `SELECT COUNT(*) FROM conversations WHERE (merged_into IS NULL) <> (last_message_at >= 0)`,
		"participants are who sent": `SELECT COUNT(*) FROM (SELECT DISTINCT conversation_id, author_id FROM messages WHERE direction = 'OUTBOUND') AS m
			LEFT JOIN participants AS p ON p.conversation_id = m.conversation_id AND p.agent_id = m.author_id WHERE p.id IS NULL`,
		"participants sort as their conversation": `SELECT COUNT(*) FROM participants AS p
			JOIN conversations AS c ON c.id = p.conversation_id WHERE p.last_message_at <> c.last_message_at`,
	} {
		wrong := -1
		w.read(sqlText{text: query}, func() {}, &wrong)
		require.Zero(t, wrong, what)
	}
}

// The events of much work at once, told to a stream from the beginning under the
// rights a viewer has now, add up to every list and count there is.
func TestFoldingTheWholeLogEqualsEveryList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(20)
	w.toil(4, 25)
	events := w.log(0)
	for _, username := range []string{"amy", "cy", "dee", "sue", "ada"} {
		v := w.viewer(username)
		for _, q := range w.everyQuestion() {
			if !q.known(v) {
				continue
			}
			f := w.fold(v, q)
			for _, e := range events {
				f.apply(e)
			}
			w.requireFolded(t, f)
		}
	}
}

// folded is a view as a stream's subscriber holds it.
type folded struct {
	v      *viewer.Viewer
	q      question
	scope  *conversation.Scope
	keys   map[int64]bool
	counts conversation.Counts
}

func (w *world) fold(v *viewer.Viewer, q question) *folded {
	scope, err := w.Conversations.Scope(w.T.Context(), v, q.view(w), q.filter(w))
	require.NoError(w.T, err)
	return &folded{v: v, q: q, scope: scope, keys: map[int64]bool{}}
}

// apply takes ENTER and UPDATE in and LEAVE out.
func (f *folded) apply(e *feed.Event) {
	f.counts = f.scope.Fold(f.counts, e)
	switch {
	case f.scope.Matches(e.After):
		f.keys[e.ConversationID] = true
	case f.scope.Matches(e.Before):
		delete(f.keys, e.ConversationID)
	}
}

func (w *world) requireFolded(t require.TestingT, f *folded) {
	want := map[int64]bool{}
	for _, k := range w.walk(f.v, f.q, 100) {
		want[k] = true
	}
	require.Equal(t, want, f.keys, "%+v", f.q)
	counts, _, err := w.Conversations.Count(context.Background(), f.scope)
	require.NoError(t, err)
	require.Equal(t, counts, f.counts, "%+v", f.q)
}

func (w *world) head() int64 {
	head, err := w.Store.Head(context.Background())
	require.NoError(w.T, err)
	return head
}

// log are the events after a position. Positions have no holes, so the head says
// how many there are.
func (w *world) log(after int64) []*feed.Event {
	head := w.head()
	stream := w.Hub.Follow(after, []feed.Key{feed.Everything}, func(*feed.Event) bool { return true })
	defer stream.Close()
	events := make([]*feed.Event, 0, head-after)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for range head - after {
		e, err := stream.Next(ctx)
		require.NoError(w.T, err)
		events = append(events, e.Event)
	}
	return events
}
