package merge_test

import (
	"cmp"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/message"
	"parley/internal/desk/search"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// messages walks a thread in pages of the size.
func (w *trial) messages(root *customer, size int, backward bool) (all []*message.Row) {
	w.T.Helper()
	row, err := w.Conversations.Get(w.System(), root.id)
	require.NoError(w.T, err)
	window := message.Window{Size: size, Backward: backward}
	for {
		pages, err := w.Messenger.Pages(w.System(), []*conversation.Row{row}, window, message.Columns{})
		require.NoError(w.T, err)
		info := pages[0].PageInfo()
		require.Equal(w.T, int64(len(w.thread(root))), pages[0].TotalCount)
		require.Equal(w.T, row.MessageCount(), pages[0].TotalCount)
		if backward {
			all = append(slices.Clone(pages[0].Nodes), all...)
			if !info.HasPreviousPage {
				return all
			}
			window.Cursor = *info.StartCursor
			continue
		}
		if all = append(all, pages[0].Nodes...); !info.HasNextPage {
			return all
		}
		window.Cursor = *info.EndCursor
	}
}

func textOf(m *message.Row) string {
	if c, ok := m.Content.(content.TextContent); ok {
		return c.Text
	}
	return m.Content.(content.EventContent).Text
}

func (w *trial) seenBy(username string, c *customer) bool {
	return username == "ada" || username == "amy" || username == "sue" && c.owner != "" || c.owner == username
}

// check compares everything that anybody sees with the model.
func (w *trial) check(r *rapid.T) {
	var roots []*customer
	for _, c := range w.all {
		if c.parent == nil {
			roots = append(roots, c)
		}
	}
	for _, root := range roots {
		w.checkThread(r, root)
	}
	slices.SortFunc(roots, func(a, b *customer) int { return cmp.Or(b.last.Compare(a.last), cmp.Compare(b.n, a.n)) })
	for _, username := range []string{"amy", "bo", "sue", "ada"} {
		ctx := w.Context(username)
		var want []string
		counts := conversation.Counts{}
		for _, root := range roots {
			if !w.seenBy(username, root) {
				continue
			}
			want = append(want, root.id)
			fresh, marked := w.unread(root)
			counts.Total, counts.New = counts.Total+1, counts.New+int64(fresh)
			if marked {
				counts.Unread++
			}
		}
		page, err := w.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 50}, conversation.Selected{})
		require.NoError(r, err)
		var got []string
		for _, row := range page.Nodes {
			got = append(got, row.ID())
			root := w.by(row.ID())
			fresh, marked := w.unread(root)
			require.Equal(r, fresh, row.NewCount(), "new in %s", root.address)
			require.Equal(r, marked, row.IsUnread, "unread in %s", root.address)
		}
		require.Equal(r, want, got, "%s's list", username)
		counted, _, err := w.Conversations.Count(ctx, conversation.Everything(viewer.FromContext(ctx)))
		require.NoError(r, err)
		require.Equal(r, counts, counted, "%s's counts", username)
		for _, c := range w.all {
			row, err := w.Conversations.Get(ctx, c.id)
			require.NoError(r, err)
			require.Equal(r, w.seenBy(username, c.root()), row != nil, "%s sees %s", username, c.address)
			w.checkSearch(r, username, c)
		}
	}
}

func (w *trial) by(id string) *customer {
	return w.all[slices.IndexFunc(w.all, func(c *customer) bool { return c.id == id })]
}

func (w *trial) checkThread(r *rapid.T, root *customer) {
	var want []string
	for _, i := range w.thread(root) {
		want = append(want, i.text)
	}
	for _, backward := range []bool{false, true} {
		var got []string
		for _, m := range w.messages(root, rapid.IntRange(1, 9).Draw(r, "page"), backward) {
			got = append(got, textOf(m))
		}
		require.Equal(r, want, got, "thread of %s, backward %t", root.address, backward)
	}
	for _, c := range w.family(root) {
		user := w.users(c)[0]
		want := c.own
		if c == root {
			want = w.consent(root)
		}
		require.Equal(r, want, user.ConsentStatus, "consent of %s", c.address)
		require.Equal(r, c != root, user.MergedInto != 0)
	}
}

func (w *trial) users(c *customer) []*conversation.MessagingUser {
	key, _ := w.Conversations.IDs.Decode(publicid.MessagingUser, c.user)
	users, err := w.Conversations.Users(w.System(), []int64{key})
	require.NoError(w.T, err)
	return []*conversation.MessagingUser{users[key]}
}

// checkSearch looks for a customer by number, and for the first word of their own: both
// find the conversation of whoever they are now.
func (w *trial) checkSearch(r *rapid.T, username string, c *customer) {
	root, _ := w.Conversations.IDs.Decode(publicid.Conversation, c.root().id)
	for _, query := range []string{c.address, c.thread[0].text} {
		page, err := w.Schema.Searcher.Find(w.Context(username), search.Input{Query: query, Size: 10})
		require.NoError(r, err)
		var want, got []int64
		if w.seenBy(username, c.root()) {
			want = []int64{root}
		}
		for _, hit := range page.Nodes {
			got = append(got, hit.Conversation)
		}
		require.Equal(r, want, got, "%s looks for %s", username, query)
	}
}
