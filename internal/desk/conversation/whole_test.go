package conversation_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// The facts of an event are the row's: a fact that is added, and not taken from the
// row, fails here.
func TestARowGivesEveryFact(t *testing.T) {
	t.Parallel()
	row := &conversation.Row{}
	parleytest.Fill(t, row)
	facts := reflect.ValueOf(row.Facts()).Elem()
	for i := range facts.NumField() {
		require.NotZero(t, facts.Field(i).Interface(), facts.Type().Field(i).Name)
	}
}

// fixed are the fields of a row that no edit changes.
var fixed = []string{"Key", "ChannelID", "MessagingUserID", "CreatedAt", "Along", "MergedInto"}

// The columns of a row are those of the schema.
func TestARowHasEveryColumn(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, parleytest.Columns(t, "conversations"), conversation.Columns())
}

// What an edit changes is saved and read again, field by field, for one conversation
// and for many: a field that is added to the row, and not saved, fails here.
func TestEveryFieldOfARowIsSaved(t *testing.T) {
	t.Parallel()
	for name, save := range map[string]func(ctx context.Context, w *world, tx *store.Tx, key int64, edit func(*conversation.Row)) error{
		"one": func(ctx context.Context, w *world, tx *store.Tx, key int64, edit func(*conversation.Row)) error {
			_, err := w.Conversations.Change(ctx, tx, key, func(_ context.Context, row *conversation.Row) (feed.Event, error) {
				edit(row)
				return feed.Event{Cause: feed.ConversationChanged}, nil
			})
			return err
		},
		"many": func(ctx context.Context, w *world, tx *store.Tx, key int64, edit func(*conversation.Row)) error {
			row, err := w.Conversations.Load(ctx, tx, key)
			if err != nil {
				return err
			}
			before := *row
			edit(row)
			return conversation.SaveMany(ctx, tx, []*conversation.Row{&before}, []*conversation.Row{row})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			row := w.row(1, 0, 1)
			w.insert(row)
			changed := &conversation.Row{}
			parleytest.Fill(t, changed)
			// Those that refer to a row refer to one that is there.
			changed.OwnerID, changed.QueueID, changed.RecordID, changed.SentBy = w.agent["cy"], w.second, w.records[0], []int64{w.agent["dee"]}
			require.NoError(t, w.Store.Write(system(), func(ctx context.Context, tx *store.Tx) error {
				return save(ctx, w, tx, row.Key, func(row *conversation.Row) {
					eachChanging(row, changed, func(_ string, to, from reflect.Value) { to.Set(from) })
				})
			}))
			rows, err := w.Conversations.ByKey(system(), []int64{row.Key})
			require.NoError(t, err)
			eachChanging(rows[row.Key], changed, func(name string, saved, want reflect.Value) {
				require.Equal(t, want.Interface(), saved.Interface(), name)
			})
			require.Equal(t, []string{fmt.Sprintf("%d|%d", w.agent["dee"], changed.LastMessageAt)}, parleytest.Rows(t, w.Store,
				fmt.Sprintf("SELECT agent_id, last_message_at FROM participants WHERE conversation_id = %d", row.Key)))
		})
	}
}

// eachChanging calls fn with the fields that may change of two rows.
func eachChanging(a, b *conversation.Row, fn func(name string, a, b reflect.Value)) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if f := x.Type().Field(i); f.IsExported() && !slices.Contains(fixed, f.Name) {
			fn(f.Name, x.Field(i), y.Field(i))
		}
	}
}

// A task that many conversations share leaves each as it would have left it alone.
func TestATaskForManyIsSavedWhole(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy, bo := p.Directory.AgentNamed("amy").Key, p.Directory.AgentNamed("bo").Key
	for i := range 3 {
		p.Say(number(i), parleytest.Sales, "Hello")
		p.Say(number(i), parleytest.Sales, "Hello?")
	}
	for _, task := range []conversation.Task{
		{Action: conversation.Assigning, Assignee: amy},
		{Action: conversation.MarkingRead, Confirmed: true},
		{Action: conversation.MarkingUnread, Confirmed: true},
		{Action: conversation.Assigning, Assignee: bo},
		{Action: conversation.MarkingRead, Confirmed: true},
		{Action: conversation.Assigning},
	} {
		var left map[int64]*conversation.Row
		require.NoError(t, p.Store.Write(p.Context("ada"), func(ctx context.Context, tx *store.Tx) error {
			keys := []int64{1, 2, 3}
			var err error
			if left, err = p.Conversations.LoadAll(ctx, tx, keys); err != nil {
				return err
			}
			_, err = p.Conversations.DoAll(ctx, tx, task, []*conversation.Row{left[1], left[2], left[3]}, []int64{0, 1, 2}, "")
			return err
		}))
		require.Len(t, left, 3)
		saved, err := p.Conversations.ByKey(p.System(), []int64{1, 2, 3})
		require.NoError(t, err)
		for key, row := range left {
			eachChanging(saved[key], row, func(name string, saved, want reflect.Value) {
				require.Equal(t, want.Interface(), saved.Interface(), "%s after %v", name, task)
			})
		}
	}
}
