package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/conversation"
	"parley/internal/feed"
	"parley/internal/message"
	"parley/internal/parleytest"
)

// After every change, what the stream of counts folded to is what a fresh query
// says, for agents of every kind of sight.
func TestFoldedCountsAreTheCountsOfAFreshQuery(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	b := setup(t)
	watched := map[string]*tap[*countsFrame]{}
	folded := map[string]map[string]conversation.Counts{}
	for _, username := range []string{"amy", "bo", "sue", "ada"} {
		watched[username], folded[username] = b.folding(username), map[string]conversation.Counts{}
	}
	for step := range 40 {
		b.act(random, step)
		for username, s := range watched {
			list, err := b.Desk.Inboxes(b.Context(username))
			require.NoError(t, err)
			want := countsOf(list.Inboxes)
			for !fits(want, folded[username]) {
				frame := s.next()
				for key, counts := range frame.counts {
					folded[username][key] = counts
				}
			}
		}
	}
}

type countsFrame struct {
	counts map[string]conversation.Counts
}

// folding is the stream of counts, as numbers by inbox.
func (b *bundle) folding(username string) *tap[*countsFrame] {
	b.t.Helper()
	from := b.counts(username)
	out := make(chan *countsFrame)
	go func() {
		defer close(out)
		for frame := range from.frames {
			out <- &countsFrame{countsOf(frame.Inboxes)}
		}
	}()
	return &tap[*countsFrame]{t: b.t, frames: out, ended: from.ended, leave: from.leave}
}

func countsOf(inboxes []*conversation.Inbox) map[string]conversation.Counts {
	out := map[string]conversation.Counts{}
	for _, in := range inboxes {
		subject := ""
		if in.Subject != nil {
			subject = *in.Subject
		}
		out[string(in.Kind)+" "+subject] = in.Counts
	}
	return out
}

// fits compares counts; an inbox of an object type that is not listed is empty.
func fits(want, have map[string]conversation.Counts) bool {
	for key, counts := range want {
		if have[key] != counts {
			return false
		}
	}
	for key, counts := range have {
		if want[key] != counts {
			return false
		}
	}
	return true
}

// act does one thing that may move counts.
func (b *bundle) act(random *rand.Rand, step int) {
	b.t.Helper()
	from := fmt.Sprintf("+1202555018%d", random.IntN(4))
	to := []string{parleytest.Sales, parleytest.Direct, parleytest.Support}[random.IntN(3)]
	page, err := b.Desk.List(b.Context("ada"), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 100})
	require.NoError(b.t, err)
	if len(page.Rows) == 0 || random.IntN(3) == 0 {
		b.Say(from, to, "Hello")
		return
	}
	id := page.Rows[random.IntN(len(page.Rows))].ID()
	switch random.IntN(4) {
	case 0:
		b.assign(id, []string{"amy", "bo", "sue", "ada"}[random.IntN(4)])
	case 1:
		_, err = b.Desk.Assign(b.Context("ada"), []string{id}, nil)
	case 2:
		b.read("ada", id)
	default:
		_, err = b.Messenger.Send(b.Context("ada"), message.SendInput{
			ConversationID: id, Text: "Hi", IdempotencyKey: fmt.Sprint(step), ConfirmForOwner: true,
		})
	}
	require.NoError(b.t, err)
}

// Folding the stream of every view, joined at any moment and dropped and resumed
// at any cursor, is running the query again.
func TestFoldedViewsAreTheListsOfAFreshQuery(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	b := setup(t)
	var folds []*listFold
	for step := range 60 {
		b.act(random, step)
		if step%6 == 0 {
			username := []string{"amy", "bo", "sue", "ada"}[random.IntN(4)]
			kind := []conversation.ViewKind{conversation.All, conversation.MyInbox, conversation.Unassigned, conversation.Sent}[random.IntN(4)]
			folds = append(folds, b.fold(username, kind))
		}
		if f := folds[random.IntN(len(folds))]; random.IntN(4) == 0 {
			f.take(random.IntN(4)) // some of what has come, and it breaks off
			f.resume()
		}
	}
	for _, f := range folds {
		f.settle()
	}
}

// listFold is a client that folds a view.
type listFold struct {
	b        *bundle
	username string
	kind     conversation.ViewKind
	rows     map[string]int64 // conversation → last message
	counts   conversation.Counts
	cursor   string
	stream   *tap[*viewFrame]
}

type viewFrame struct {
	kind   feed.StreamKind
	cursor string
	id     string
	last   int64
	counts conversation.Counts
}

func (b *bundle) fold(username string, kind conversation.ViewKind) *listFold {
	b.t.Helper()
	f := &listFold{b: b, username: username, kind: kind}
	f.rows, f.cursor = f.query()
	f.resume()
	return f
}

// query reads the list afresh.
func (f *listFold) query() (map[string]int64, string) {
	f.b.t.Helper()
	page, err := f.b.Desk.List(f.b.Context(f.username), conversation.View{Kind: f.kind}, nil, nil, conversation.Window{Size: 100})
	require.NoError(f.b.t, err)
	rows := map[string]int64{}
	for _, r := range page.Rows {
		rows[r.ID()] = r.LastMessageID<<8 | r.Read // what a list shows, by its versions
	}
	return rows, page.FeedCursor()
}

// resume opens the stream anew from the last cursor.
func (f *listFold) resume() {
	f.b.t.Helper()
	if f.stream != nil {
		f.stream.leave()
	}
	from := f.b.view(f.username, f.kind, &f.cursor)
	out := make(chan *viewFrame, 4096)
	go func() {
		defer close(out)
		for c := range from.frames {
			frame := &viewFrame{kind: c.Kind, cursor: c.Cursor, counts: c.Counts}
			if c.ConversationID != nil {
				frame.id = *c.ConversationID
			}
			if c.Conversation != nil {
				frame.last = c.Conversation.LastMessageID<<8 | c.Conversation.Read
			}
			out <- frame
		}
	}()
	f.stream = &tap[*viewFrame]{t: f.b.t, frames: out, ended: from.ended, leave: from.leave}
	f.apply(f.stream.next())
}

// take folds up to n frames that are there.
func (f *listFold) take(n int) {
	for range n {
		select {
		case frame, ok := <-f.stream.frames:
			if ok {
				f.apply(frame)
			}
		default:
		}
	}
}

func (f *listFold) apply(frame *viewFrame) {
	f.cursor, f.counts = frame.cursor, frame.counts
	switch frame.kind {
	case feed.Enter, feed.Update:
		f.rows[frame.id] = frame.last
	case feed.Leave:
		delete(f.rows, frame.id)
	case feed.Open, feed.Reset:
	}
}

// settle folds until the list equals a fresh query, which it must in time.
func (f *listFold) settle() {
	f.b.t.Helper()
	ctx, cancel := context.WithTimeout(f.b.t.Context(), 10*time.Second)
	defer cancel()
	for {
		want, _ := f.query()
		counted, err := f.b.Desk.Scope(f.b.viewer(f.username), conversation.View{Kind: f.kind}, nil)
		require.NoError(f.b.t, err)
		counts, _, err := f.b.Desk.Count(ctx, counted)
		require.NoError(f.b.t, err)
		if fmt.Sprint(want) == fmt.Sprint(f.rows) && counts == f.counts {
			return
		}
		select {
		case frame := <-f.stream.frames:
			f.apply(frame)
		case <-ctx.Done():
			require.Equal(f.b.t, want, f.rows, "%s of %s", f.kind, f.username)
			require.Equal(f.b.t, counts, f.counts, "%s of %s", f.kind, f.username)
		}
	}
}
