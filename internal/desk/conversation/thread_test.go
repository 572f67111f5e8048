package conversation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/message"
	"parley/internal/ground/store"
)

// threads writes conversations whose threads have 0, 1, … messages.
func (w *world) threads(n int) []*conversation.Row {
	rows := make([]*conversation.Row, n)
	for i := range rows {
		rows[i] = w.row(int64(i), 0, 1, func(r *conversation.Row) { r.LastSeq = int64(i) })
	}
	w.insert(rows...)
	require.NoError(w.T, w.Store.Write(system(), func(ctx context.Context, tx *store.Tx) error {
		insert := tx.Builder().Insert("messages").Columns("conversation_id", "seq", "direction", "kind", "source", "text", "created_at")
		for _, r := range rows {
			for seq := range r.LastSeq {
				insert.Values(r.Key, seq+1, string(content.Inbound), string(content.Text), string(content.Customer), fmt.Sprint(r.Key, "/", seq+1), 1)
			}
		}
		_, err := tx.Exec(ctx, insert)
		return err
	}))
	return rows
}

func numbers(p *message.Page) []int64 {
	out := []int64{}
	for _, e := range p.Edges() {
		out = append(out, e.Node.Seq)
	}
	return out
}

// span are the numbers from the first to the last.
func span(first, last int64) []int64 {
	out := []int64{}
	for ; first <= last; first++ {
		out = append(out, first)
	}
	return out
}

func TestManyThreadsAreReadByTheirNumbersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := w.threads(50)
	newest, err := w.Messenger.Pages(t.Context(), rows, message.Window{Size: 3, Backward: true}, message.Columns{})
	require.NoError(t, err)
	oldest, err := w.Messenger.Pages(t.Context(), rows, message.Window{Size: 3}, message.Columns{})
	require.NoError(t, err)
	for i, r := range rows {
		n := r.LastSeq
		require.Equal(t, span(max(1, n-2), n), numbers(newest[i]))
		require.Equal(t, span(1, min(3, n)), numbers(oldest[i]))
		require.Equal(t, n > 3, newest[i].PageInfo().HasPreviousPage)
		require.Equal(t, n > 3, oldest[i].PageInfo().HasNextPage)
		require.False(t, newest[i].PageInfo().HasNextPage || oldest[i].PageInfo().HasPreviousPage)
		require.Equal(t, n, newest[i].TotalCount)
		for _, m := range newest[i].Nodes {
			require.Equal(t, content.TextContent{Text: fmt.Sprint(r.Key, "/", m.Seq)}, m.Content)
		}
	}
}

func TestAThreadIsWalkedBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	thread := w.threads(32)[31:]
	for _, size := range []int{1, 7, 31, 100} {
		for _, backward := range []bool{false, true} {
			var got []int64
			window := message.Window{Size: size, Backward: backward}
			for {
				pages, err := w.Messenger.Pages(t.Context(), thread, window, message.Columns{})
				require.NoError(t, err)
				info := pages[0].PageInfo()
				more, came := info.HasNextPage, info.HasPreviousPage
				if backward {
					more, came = came, more
					got = append(numbers(pages[0]), got...)
				} else {
					got = append(got, numbers(pages[0])...)
				}
				require.Equal(t, window.Cursor != "", came)
				if !more {
					break
				}
				window.Cursor = *info.EndCursor
				if backward {
					window.Cursor = *info.StartCursor
				}
			}
			require.Equal(t, span(1, 31), got)
		}
	}
}

func TestAThreadsWindowMayLieBeyondItsEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := w.threads(5)
	long, err := w.Messenger.Pages(t.Context(), rows[4:], message.Window{Size: 9}, message.Columns{})
	require.NoError(t, err)
	last := long[0].PageInfo().EndCursor
	for _, backward := range []bool{false, true} {
		pages, err := w.Messenger.Pages(t.Context(), rows, message.Window{Size: 2, Cursor: *last, Backward: backward}, message.Columns{})
		require.NoError(t, err)
		require.Empty(t, pages[0].Nodes, "an empty thread")
		require.Nil(t, pages[0].PageInfo().StartCursor)
		require.False(t, pages[0].PageInfo().HasNextPage || pages[0].PageInfo().HasPreviousPage)
		if backward {
			require.Equal(t, span(2, 3), numbers(pages[4]))
			continue
		}
		require.Empty(t, pages[4].Nodes, "nothing after the last")
		require.True(t, pages[4].PageInfo().HasPreviousPage)
		require.False(t, pages[4].PageInfo().HasNextPage)
	}
}
