package feed_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// desk is a log with a hub that follows it.
type desk struct {
	*feed.Hub
	t     testing.TB
	store *store.Store
	url   string
	base  int64 // where the log stood at first
	stop  func()
}

func setup(t testing.TB, options ...func(*feed.HubOptions)) *desk {
	t.Helper()
	d := &desk{t: t, url: parleytest.Database(t)}
	bus := feed.NewLocal()
	var err error
	d.store, err = store.Open(t.Context(), store.Options{URL: d.url, OnCommit: bus.Publish})
	require.NoError(t, err)
	o := feed.HubOptions{Bus: bus}
	for _, option := range options {
		option(&o)
	}
	d.Hub, err = feed.NewHub(t.Context(), d.store, feed.NewCursors(key, d.store.Epoch), o)
	require.NoError(t, err)
	d.base = d.Position()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
	t.Cleanup(func() { d.stop(); require.NoError(t, d.store.Close()) })
	return d
}

// mindful has the hub keep events.
func mindful(o *feed.HubOptions) { o.Recent = 5000 }

// add writes n events of a conversation in one transaction.
func (d *desk) add(conversation int64, n int) error {
	facts, _ := json.Marshal(map[string]any{"a": map[string]any{"c": 1}})
	return d.store.Write(d.t.Context(), func(_ context.Context, tx *store.Tx) error {
		for range n {
			feed.Append(tx, &feed.Event{Cause: feed.MessageAdded, ConversationID: conversation}, facts)
		}
		return nil
	})
}

func (d *desk) mustAdd(conversation int64, n int) {
	d.t.Helper()
	require.NoError(d.t, d.add(conversation, n))
}

// trim removes the events up to a position.
func (d *desk) trim(upTo int64) {
	d.t.Helper()
	driver := map[bool]string{true: "pgx", false: "sqlite3"}[parleytest.OnPostgres()]
	db, err := sql.Open(driver, d.url)
	require.NoError(d.t, err)
	_, err = db.ExecContext(d.t.Context(), fmt.Sprintf("DELETE FROM events WHERE id <= %d", upTo))
	require.NoError(d.t, err)
	require.NoError(d.t, db.Close())
}

// follow opens a stream that ends with the test.
func (d *desk) follow(after int64, want func(*feed.Event) bool) *feed.Stream {
	s := d.Follow(after, everything, want)
	d.t.Cleanup(s.Close)
	return s
}

// live opens a stream from the head that has joined the hub.
func (d *desk) live(want func(*feed.Event) bool) *feed.Stream {
	d.t.Helper()
	s, before := d.follow(d.Position(), want), d.Streams()
	joined := make(chan error, 1)
	go func() {
		_, err := s.Next(d.t.Context())
		joined <- err
	}()
	d.eventually(func() bool { return d.Streams() > before }, "the stream is live")
	d.mustAdd(1, 1)
	require.NoError(d.t, <-joined)
	return s
}

var everything = []feed.Key{feed.Everything}

func all(*feed.Event) bool { return true }

// next returns the next event, which must come within ten seconds.
func next(t testing.TB, s *feed.Stream) *feed.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := s.Next(ctx)
	require.NoError(t, err)
	return e
}

func (d *desk) eventually(ok func() bool, what string) {
	d.t.Helper()
	require.Eventually(d.t, ok, 10*time.Second, time.Millisecond, what)
}

// requireEnds wants an error with the code and returns the cursor it carries.
func requireEnds(t testing.TB, err error, code fault.Code) (cursor string) {
	t.Helper()
	var ended *fault.Error
	require.ErrorAs(t, err, &ended)
	require.Equal(t, code, ended.Code)
	return ended.Cursor
}
