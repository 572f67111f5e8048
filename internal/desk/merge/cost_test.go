package merge_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/message"
	"parley/internal/desk/search"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Only what has to do with merged customers costs a statement more.
func TestWhatMergesCostIsPinned(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	d := meetAt(parleytest.New(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) {
			seen.Add(1)
			return nil
		}
	}), 4)
	statements := func(do func() error) int {
		before := seen.Load()
		require.NoError(t, do())
		return int(seen.Load() - before)
	}
	amy := d.Context("amy")
	list := func() error {
		page, err := d.Conversations.List(amy, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 10}, conversation.Selected{})
		if err == nil {
			_, err = d.Messenger.Last(amy, page.Nodes, message.Columns{})
		}
		return err
	}
	thread := func(n ...int) func() error {
		var rows []*conversation.Row
		for _, i := range n {
			row, err := d.Conversations.Get(amy, d.conversation[address(i)])
			require.NoError(t, err)
			rows = append(rows, row)
		}
		return func() error {
			_, err := d.Messenger.Pages(amy, rows, message.Window{Size: 10}, message.Columns{})
			return err
		}
	}
	ensure := func(n int) func() error {
		channel, _ := d.Conversations.IDs.Decode(publicid.Channel, d.direct())
		return func() error {
			return d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error {
				_, _, err := d.Conversations.Ensure(ctx, tx, channel, conversation.Customer{Address: address(n)})
				return err
			})
		}
	}
	find := func(username string, query string) func() error {
		return func() error {
			_, err := d.Schema.Searcher.Find(d.Context(username), search.Input{Query: query, Size: 10})
			return err
		}
	}
	lists, ordinary, known := statements(list), statements(thread(2, 3)), statements(ensure(3))
	index, few := statements(find("ada", "hello")), statements(find("amy", "hello"))
	require.Equal(t, 1, ordinary)
	d.merged(0, 1)
	require.Equal(t, lists, statements(list), "a list")
	require.Equal(t, ordinary, statements(thread(2, 3)), "ordinary threads")
	require.Equal(t, 3, statements(thread(0, 2, 3)), "threads of which one has an earlier part")
	require.Equal(t, known, statements(ensure(3)), "a known customer")
	require.Equal(t, known, statements(ensure(0)), "the winner")
	require.Equal(t, known+2, statements(ensure(1)), "the loser")
	require.Equal(t, index, statements(find("ada", "hello")), "a search in the index")
	require.Equal(t, few+1, statements(find("amy", "hello")), "a search in few conversations, of which one has an earlier part")
}
