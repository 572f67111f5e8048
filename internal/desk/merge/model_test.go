package merge_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
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
	n        int // in the order in which they became known
	address  string
	user     string
	id       string // of the conversation
	parent   *customer
	undone   bool // their own merge, and nobody was merged into them since
	thread   []*item
	marked   bool // unread by itself
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
	thread, upTo := w.upTo(r, root)
	results, err := w.Conversations.MarkRead(w.Context("ada"), []*conversation.MarkItem{{ID: root.id, UpToMessageID: upTo}}, true)
	require.NoError(r, err)
	require.Nil(r, results[0].Error)
	w.reads(root, thread)
}

// upTo chooses how far to read: a part of the thread, and the id of its last message; or
// all of it, and none.
func (w *trial) upTo(r *rapid.T, root *customer) ([]*item, *string) {
	thread := w.thread(root)
	n := rapid.IntRange(0, len(thread)).Draw(r, "up to")
	if n == len(thread) {
		return thread, nil
	}
	id := w.messages(root, 100, false)[n].ID()
	return thread[:n+1], &id
}

// reads is what reading does: nothing if it reads nothing new and what is unread stays so.
func (w *trial) reads(root *customer, upTo []*item) {
	fresh, marked := w.unread(root)
	for _, i := range upTo {
		i.read = true
	}
	left, _ := w.unread(root)
	if left == fresh && (left > 0) == marked {
		return
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
	thread, upTo := w.upTo(r, root)
	_, err := w.Messenger.Send(w.Context("amy"), message.SendInput{ConversationID: root.id, Text: "word" + key, IdempotencyKey: key, UpToMessageID: upTo})
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
	w.reads(root, thread)
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
		if events = 3; winner.n > loser.n { // of both conversations, and of the audit
			winner, loser = loser, winner
		}
		loser.parent, winner.undone = winner, false
	}
	head, _ := w.Store.Head(w.System())
	require.Equal(r, events, head-before, "events")
}

func (w *trial) undo(r *rapid.T, c *customer) {
	before, _ := w.Store.Head(w.System())
	events := int64(0)
	for range rapid.IntRange(1, 2).Draw(r, "times") {
		u, err := w.Schema.Merger.Unmerge(w.Context("ada"), c.user)
		if c.parent == nil && !c.undone && slices.ContainsFunc(w.all, func(o *customer) bool { return o.parent == c }) {
			require.Equal(r, fault.Conflict, fault.CodeOf(err), "others were merged into them")
			continue
		}
		require.NoError(r, err)
		require.Equal(r, c.user, u.ID())
		if c.parent != nil {
			c.parent, c.undone, events = nil, true, 3
		}
	}
	head, _ := w.Store.Head(w.System())
	require.Equal(r, events, head-before, "events")
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
