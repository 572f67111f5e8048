package merge_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/desk/search"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// The model says in the plainest way what a merge is: customers are trees, whoever looks
// sees the roots, and a thread is read customer by customer, the root last.

// item is a message in the model.
type item struct {
	text          string
	inbound, read bool
}

// customer is one messaging user with their conversation.
type customer struct {
	n         int // in the order in which they became known
	address   string
	user      string
	id        string // of the conversation
	parent    *customer
	thread    []*item
	marked    bool // unread by itself
	owner    string
	assigned bool
	last     time.Time
	own      channel.Consent // given by themselves
}

func (c *customer) root() *customer {
	for c.parent != nil {
		c = c.parent
	}
	return c
}

func (c *customer) marking() {
	c.marked = slices.ContainsFunc(c.thread, func(i *item) bool { return i.inbound && !i.read })
}

// trial is a desk with a few customers on amy's own number.
type trial struct {
	*parleytest.Parley
	all  []*customer
	step int
	name string
}

// family are the customers of a root, in the order in which their stretches are read.
func (w *trial) family(root *customer) []*customer {
	var out []*customer
	for _, c := range w.all {
		if c.root() == root && c != root {
			out = append(out, c)
		}
	}
	return append(out, root)
}

func (w *trial) thread(root *customer) (all []*item) {
	for _, c := range w.family(root) {
		all = append(all, c.thread...)
	}
	return all
}

func (w *trial) unread(root *customer) (fresh int, marked bool) {
	for _, c := range w.family(root) {
		marked = marked || c.marked
		for _, i := range c.thread {
			if i.inbound && !i.read {
				fresh++
			}
		}
	}
	return fresh, marked
}

func (w *trial) tick() string {
	w.step++
	w.Clock.Advance(time.Second)
	return fmt.Sprintf("%s%04d", w.name, w.step)
}

func (w *trial) say(c *customer) {
	id := w.tick()
	w.Post(w.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: c.address, To: parleytest.Direct, Text: "word" + id}))
	r := c.root()
	r.thread, r.marked, r.last = append(r.thread, &item{text: "word" + id, inbound: true}), true, w.Clock.Now().Std()
	if r.owner == "" {
		r.owner = "amy"
	}
}

// optOut is a carrier's word that a customer has opted out.
func (w *trial) optOut(r *rapid.T, c *customer) {
	key, _ := w.Conversations.IDs.Decode(publicid.Conversation, c.id)
	require.NoError(r, w.Store.Write(w.System(), func(ctx context.Context, tx *store.Tx) error {
		row, err := w.Conversations.LoadCurrent(ctx, tx, key)
		if err != nil {
			return err
		}
		return w.Messenger.TakeConsent(ctx, tx, row, channel.OptOut)
	}))
	root := c.root()
	if w.consent(root) != channel.OptOut {
		root.thread = append(root.thread, &item{text: "The carrier reports that the customer has opted out. Nothing can be sent until they opt in again."})
	}
	for _, m := range w.family(root) {
		m.own = channel.OptOut
	}
}

// consent is OPT_OUT as soon as one of the family has opted out.
func (w *trial) consent(root *customer) channel.Consent {
	if slices.ContainsFunc(w.family(root), func(m *customer) bool { return m.own == channel.OptOut }) {
		return channel.OptOut
	}
	return root.own
}

func (w *trial) read(r *rapid.T, root *customer) {
	thread := w.thread(root)
	upTo := rapid.IntRange(0, len(thread)).Draw(r, "up to")
	mark := &conversation.MarkItem{ID: root.id}
	if upTo < len(thread) {
		id := w.messages(root, 100, false)[upTo].ID()
		mark.UpToMessageID = &id
	} else {
		upTo = len(thread) - 1
	}
	results, err := w.Conversations.MarkRead(w.Context("ada"), []*conversation.MarkItem{mark}, true)
	require.NoError(r, err)
	require.Nil(r, results[0].Error)
	for i := range thread[:upTo+1] {
		thread[i].read = true
	}
	for _, m := range w.family(root) {
		m.marking()
	}
}

func (w *trial) mark(r *rapid.T, root *customer) {
	results, err := w.Conversations.MarkUnread(w.Context("ada"), []string{root.id}, true)
	require.NoError(r, err)
	require.Nil(r, results[0].Error)
	if _, marked := w.unread(root); !marked {
		root.marked = true
	}
}

func (w *trial) assign(r *rapid.T, root *customer) {
	to := rapid.SampledFrom([]string{"amy", "bo", ""}).Draw(r, "to")
	var id *string
	if to != "" {
		id = &w.Directory.AgentNamed(to).ID
	}
	_, err := w.Conversations.Assign(w.Context("ada"), []string{root.id}, id)
	require.NoError(r, err)
	if _, marked := w.unread(root); !marked && root.owner != to {
		root.marked = true
	}
	root.owner, root.assigned = to, to != ""
}

func (w *trial) send(r *rapid.T, root *customer) {
	key := w.tick()
	_, err := w.Messenger.Send(w.Context("amy"), message.SendInput{ConversationID: root.id, Text: "word" + key, IdempotencyKey: key})
	if w.consent(root) == channel.OptOut {
		require.Error(r, err)
		return
	}
	require.NoError(r, err)
	root.thread, root.last = append(root.thread, &item{text: "word" + key}), w.Clock.Now().Std()
	if !root.assigned {
		root.owner = "amy"
	}
	if root.owner != "amy" {
		return
	}
	for _, i := range w.thread(root) {
		i.read = true
	}
	for _, m := range w.family(root) {
		m.marking()
	}
}

// merge merges two, in either order, once or twice: a second time changes nothing.
func (w *trial) merge(r *rapid.T, a, b *customer) {
	before, _ := w.Store.Head(w.System())
	for range rapid.IntRange(1, 2).Draw(r, "times") {
		u, err := w.Schema.Merger.Merge(w.Context("ada"), merge.Input{IDs: []string{a.user, b.user}, IdempotencyKey: w.tick()})
		require.NoError(r, err)
		a, b = b, a
		require.Equal(r, w.all[min(a.root().n, b.root().n)].user, u.ID())
	}
	winner, loser := a.root(), b.root()
	events := int64(0)
	if winner != loser {
		if events = 2; winner.n > loser.n {
			winner, loser = loser, winner
		}
		loser.parent = winner
	}
	head, _ := w.Store.Head(w.System())
	require.Equal(r, events, head-before, "events")
}

func (w *trial) undo(r *rapid.T, c *customer) {
	before, _ := w.Store.Head(w.System())
	for range rapid.IntRange(1, 2).Draw(r, "times") {
		u, err := w.Schema.Merger.Unmerge(w.Context("ada"), c.user)
		require.NoError(r, err)
		require.Equal(r, c.user, u.ID())
	}
	events := int64(0)
	if c.parent != nil {
		c.parent, events = nil, 2
	}
	head, _ := w.Store.Head(w.System())
	require.Equal(r, events, head-before, "events")
}

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

// checkSearch looks for a customer by number, and for the last word of their thread.
func (w *trial) checkSearch(r *rapid.T, username string, c *customer) {
	for _, query := range []string{c.address, c.thread[0].text} {
		page, err := w.Schema.Searcher.Find(w.Context(username), search.Input{Query: query, Size: 10})
		require.NoError(r, err)
		want := 0
		if c.parent == nil && w.seenBy(username, c) {
			want = 1
		}
		require.Len(r, page.Nodes, want, "%s finds %s", username, query)
	}
}

// Whatever is merged, undone, written, read and assigned, in any order and more than
// once: everybody sees what the model says.
func TestMergesDoWhatTheModelSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := newTrial(t, r)
		defer w.Stop()
		any := func(r *rapid.T, name string) *customer { return rapid.SampledFrom(w.all).Draw(r, name) }
		r.Repeat(map[string]func(*rapid.T){
			"say":     func(r *rapid.T) { w.say(any(r, "who")) },
			"opt out": func(r *rapid.T) { w.optOut(r, any(r, "who")) },
			"send":    func(r *rapid.T) { w.send(r, any(r, "to").root()) },
			"read":    func(r *rapid.T) { w.read(r, any(r, "whose").root()) },
			"mark":    func(r *rapid.T) { w.mark(r, any(r, "whose").root()) },
			"assign":  func(r *rapid.T) { w.assign(r, any(r, "whose").root()) },
			"merge": func(r *rapid.T) {
				if a, b := any(r, "one"), any(r, "other"); a != b {
					w.merge(r, a, b)
				}
			},
			"undo": func(r *rapid.T) { w.undo(r, any(r, "whom")) },
			"":     w.check,
		})
	})
}

// customers is how many there are.
const customers = 4

func newTrial(t testing.TB, r *rapid.T) *trial {
	w := &trial{Parley: parleytest.New(t), name: "q"}
	for i := range customers {
		w.all = append(w.all, &customer{n: i, address: fmt.Sprintf("+120255501%02d", 80+i), own: channel.ImplicitOptIn})
	}
	for _, c := range w.all {
		w.say(c)
		page, err := w.Conversations.List(w.System(), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 1}, conversation.Selected{})
		require.NoError(r, err)
		c.id, c.user = page.Nodes[0].ID(), w.Conversations.IDs.Encode(publicid.MessagingUser, page.Nodes[0].MessagingUserID)
	}
	return w
}
