package feed_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// What a stream gives is what was recorded, field by field, whether it comes live,
// from the log or from what the hub remembers. A field that is added to the event
// or its facts, and lost on one of the ways, fails here.
func TestEveryFieldOfAnEventComesBack(t *testing.T) {
	t.Parallel()
	recorded := map[string]*feed.Event{
		"bulk":     {Cause: feed.BulkChanged, Subject: &feed.Subject{Kind: publicid.BulkOperation, Key: 7}},
		"anybody":  {Cause: feed.DirectoryChanged},
		"nobody":   {Cause: feed.DirectoryChanged, Agents: []int64{}},
		"new":      {Cause: feed.MessageAdded, ConversationID: 3, After: &feed.Facts{Channel: 2}},
		"complete": {},
	}
	parleytest.Fill(t, recorded["complete"])
	for name, event := range recorded {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t, mindful)
			live := d.live(all)
			require.NoError(t, d.store.Write(t.Context(), func(_ context.Context, tx *store.Tx) error { return feed.Record(tx, event) }))
			got := next(t, live).Event
			require.NotZero(t, got.At)
			want := *event
			want.Position, want.At = d.base+2, got.At // the log gives them
			require.Equal(t, &want, got, "live")
			require.NoError(t, d.Await(t.Context(), want.Position))

			forgetful, err := feed.NewHub(t.Context(), d.store, d.Cursors, feed.HubOptions{Bus: feed.NewLocal()})
			require.NoError(t, err)
			for hub, way := range map[*feed.Hub]string{d.Hub: "from memory", forgetful: "from the log"} {
				s := hub.Follow(want.Position-1, everything, func(e *feed.Event) bool { return reflect.DeepEqual(&want, e) })
				t.Cleanup(s.Close)
				require.Equal(t, &want, next(t, s).Event, way)
			}
		})
	}
}

// Servers of two versions serve one database while they are updated.
func TestTheVersionBeforeAndThisOneKnowABulkOperation(t *testing.T) {
	t.Parallel()
	d := setup(t, mindful)
	live := d.live(all)
	subject := &feed.Subject{Kind: publicid.BulkOperation, Key: 7}
	require.NoError(t, d.store.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
		feed.Append(tx, &feed.Event{Cause: feed.BulkChanged}, []byte(`{"k":7}`))
		return feed.Record(tx, &feed.Event{Cause: feed.BulkChanged, Subject: subject})
	}))
	require.Equal(t, subject, next(t, live).Subject, "what the version before recorded")
	require.Equal(t, subject, next(t, live).Subject)
	facts := parleytest.Rows(t, d.store, "SELECT facts FROM events ORDER BY id DESC LIMIT 1")
	require.JSONEq(t, `{"s":{"k":"blk","i":7},"k":7}`, facts[0], "what the version before reads")
}
