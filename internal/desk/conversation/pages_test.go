package conversation_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// tied writes conversations that cy sees by several of their parts at once:
// owned, on their numbers, in their queue, or all of these; thirteen share each
// time.
func (w *world) tied(n int) {
	rows := make([]*conversation.Row, n)
	for i := range rows {
		rows[i] = w.row(int64(i), i%len(w.numbers), clock.Time(1+i/13), func(r *conversation.Row) {
			r.OwnerID = []int64{0, w.agent["cy"], w.agent["amy"]}[i/2%3]
			if i%5 == 0 {
				r.QueueID = w.second
			}
			if i%3 == 0 {
				r.Type = "Contact"
			}
			if i%4 == 0 {
				r.SentBy = []int64{w.agent["cy"]}
			}
		})
	}
	w.insert(rows...)
}

// turn reads every page one way and requires that each knows its neighbours.
func (w *world) turn(ctx context.Context, q question, order *conversation.Order, size int, backward bool) []int64 {
	var keys []int64
	window := conversation.Window{Size: size, Backward: backward}
	for first := true; ; first = false {
		page, err := w.Conversations.List(ctx, q.view(w), q.filter(w), order, window, conversation.Selected{})
		require.NoError(w.T, err)
		ahead, behind := page.HasNextPage, page.HasPreviousPage
		if backward {
			ahead, behind = behind, ahead
		}
		require.Equal(w.T, !first, behind, "the page before it")
		own := keysOf(page)
		require.LessOrEqual(w.T, len(own), size)
		if backward {
			keys = append(own, keys...)
		} else {
			keys = append(keys, own...)
		}
		if !ahead {
			return keys
		}
		require.Len(w.T, own, size, "a page with another after it is full")
		window.Cursor = *page.PageInfo().EndCursor
		if backward {
			window.Cursor = *page.PageInfo().StartCursor
		}
	}
}

func keysOf(p *conversation.Page) []int64 {
	keys := make([]int64, len(p.Nodes))
	for i, e := range p.Edges() {
		keys[i] = e.Node.Key
	}
	return keys
}

func TestPagesGiveEachConversationOnceInOrderBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tied(90)
	all := w.facts()
	questions := map[string]question{
		"all": {kind: conversation.All}, "mine": {kind: conversation.MyInbox}, "sent": {kind: conversation.Sent},
		"nobody's": {kind: conversation.Unassigned}, "contacts": {kind: conversation.ObjectType, object: "Contact"},
		"sender ID": {kind: conversation.SenderID, channel: w.numbers[1]},
	}
	for name, q := range questions {
		for _, username := range []string{"cy", "sue", "ada"} {
			v := w.viewer(username)
			if !q.known(v) {
				continue
			}
			want := q.keys(v, all)
			for _, size := range []int{1, 4, 15, 100} {
				t.Run(fmt.Sprint(name, " of ", username, " by ", size), func(t *testing.T) {
					ctx := viewer.NewContext(t.Context(), v)
					ascending := &conversation.Order{Field: conversation.LastMessageAt, Direction: conversation.Ascending}
					reversed := slices.Clone(want)
					slices.Reverse(reversed)
					for _, backward := range []bool{false, true} {
						require.Equal(t, want, append([]int64{}, w.turn(ctx, q, nil, size, backward)...))
						require.Equal(t, reversed, append([]int64{}, w.turn(ctx, q, ascending, size, backward)...))
					}
				})
			}
		}
	}
}

// What happens to conversations elsewhere in the list, or to the read state of
// those on the way, neither repeats nor skips one.
func TestPagesHoldWhileConversationsChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tied(90)
	q, v := question{kind: conversation.All}, w.viewer("cy")
	want := q.keys(v, w.facts())
	stop, ids := make(chan struct{}), w.publicIDs()
	var writers sync.WaitGroup
	for n := range 2 {
		writers.Go(func() { w.disturb(ids, n, stop) })
	}
	ctx := viewer.NewContext(t.Context(), v)
	for range 8 {
		for _, backward := range []bool{false, true} {
			require.Equal(t, want, w.turn(ctx, q, nil, 7, backward))
		}
	}
	close(stop)
	writers.Wait()
}

// publicIDs are the ids of the written rows.
func (w *world) publicIDs() []string {
	rows, err := w.Conversations.ByKey(system(), slices.Collect(maps.Keys(w.rows)))
	require.NoError(w.T, err)
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID())
	}
	return ids
}

// disturb marks and unmarks until told to stop.
func (w *world) disturb(ids []string, n int, stop chan struct{}) {
	ada := viewer.NewContext(context.Background(), w.viewer("ada"))
	for i := n; ; i += 2 {
		select {
		case <-stop:
			return
		default:
		}
		id := ids[i%len(ids)]
		var err error
		if i/2%2 == 0 {
			_, err = w.Conversations.MarkUnread(ada, []string{id}, true)
		} else {
			_, err = w.Conversations.MarkRead(ada, []*conversation.MarkItem{{ID: id}}, true)
		}
		if err != nil {
			w.T.Errorf("a neighbour's write failed: %v", err)
			return
		}
	}
}

func TestWhatIsNoCursorIsBadInputThatNamesItsArgument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tied(3)
	ctx := w.Context("cy")
	id := w.publicIDs()[0]
	for _, cursor := range []string{"x", "!!", id, "AAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		for backward, field := range map[bool]string{false: "after", true: "before"} {
			_, err := w.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil,
				conversation.Window{Size: 5, Cursor: cursor, Backward: backward}, conversation.Selected{})
			require.Equal(t, fault.BadInput, fault.CodeOf(err), cursor)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, field, f.Field)
		}
	}
}

func TestAnEmptyListIsAnEmptyPageWithAFeedCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, username := range []string{"dee", "cy", "ada"} {
		page, err := w.Conversations.List(w.Context(username), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 5}, conversation.Selected{})
		require.NoError(t, err)
		require.Empty(t, page.Nodes)
		require.False(t, page.HasNextPage || page.HasPreviousPage)
		require.Nil(t, page.PageInfo().StartCursor)
		at, err := w.Conversations.Cursors.Decode(page.FeedCursor())
		require.NoError(t, err)
		require.Equal(t, page.Position, at)
		require.Positive(t, at)
	}
}
