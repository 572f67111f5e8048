package conversation_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// drawEdit is any move of a conversation.
func drawEdit(t *rapid.T, w *world) conversation.Edit {
	agent := rapid.SampledFrom([]int64{0, w.agent["amy"], w.agent["bo"], w.agent["cy"]})
	one, other, sure := agent.Draw(t, "one"), agent.Draw(t, "other"), rapid.Bool().Draw(t, "sure")
	move := rapid.IntRange(0, 5).Draw(t, "move")
	return func(_ context.Context, row *conversation.Row) (feed.Event, error) {
		m := conversation.Message{Key: row.LastSeq, At: row.LastMessageAt + 1, Preview: "x"}
		switch move {
		case 0:
			row.Receive(m, one)
		case 1:
			row.Send(m, one, other, row.InboundCount-1, sure)
		case 2:
			row.MarkRead(row.InboundCount - 1)
		case 3:
			row.MarkRead(row.InboundCount)
		case 4:
			row.MarkUnread()
		case 5:
			row.Assign(one)
		}
		return feed.Event{Cause: feed.ConversationChanged}, nil
	}
}

// After every single event, a list that was read once and folded since equals
// the list read again, and so do its counts.
func TestFoldingEachEventEqualsTheListReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(18)
	rapid.Check(t, func(t *rapid.T) {
		folds := make([]*folded, 4)
		at := w.head()
		for i := range folds {
			v, q := drawViewer(t, w), drawQuestion(t, w)
			if !q.known(v) {
				q.kind = conversation.All
			}
			folds[i] = w.fold(v, q)
			for _, k := range w.walk(v, q, 100) {
				folds[i].keys[k] = true
			}
			var err error
			folds[i].counts, _, err = w.Conversations.Count(t.Context(), folds[i].scope)
			require.NoError(t, err)
		}
		for range rapid.IntRange(1, 5).Draw(t, "moves") {
			key, edit := base+rapid.Int64Range(0, 17).Draw(t, "conversation"), drawEdit(t, w)
			require.NoError(t, w.Store.Write(system(), func(ctx context.Context, tx *store.Tx) error {
				_, err := w.Conversations.Change(ctx, tx, key, edit)
				return err
			}))
			for _, e := range w.log(at) {
				at = e.Position
				for _, f := range folds {
					f.apply(e)
					w.requireFolded(t, f)
				}
			}
		}
	})
}
