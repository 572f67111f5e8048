package store_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// open opens a store on a database that holds the demo organisation.
func open(t testing.TB, url string, options ...func(*store.Options)) *store.Store {
	t.Helper()
	o := store.Options{URL: url}
	for _, option := range options {
		option(&o)
	}
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// write is what a test hands to Write.
type write = func(context.Context, *store.Tx) error

// raw is a statement written by hand.
type raw struct {
	text string
	args []any
}

// Query implements store.Query.
func (q raw) Query() (string, []any) { return q.text, q.args }

// put writes a row that can be there only once.
func put(name string) write {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Insert("secrets").Columns("name", "value").Values(name, []byte("x")))
		return err
	}
}

// emit appends n events.
func emit(n int) write {
	return func(_ context.Context, tx *store.Tx) error {
		for range n {
			if err := feed.Record(tx, &feed.Event{Cause: feed.ConversationChanged}); err != nil {
				return err
			}
		}
		return nil
	}
}

// has reports whether a row that put wrote is there for readers.
func has(t testing.TB, s *store.Store, name string) bool {
	t.Helper()
	return number(t, s, "SELECT COUNT(*) FROM secrets WHERE name = '"+name+"'") == 1
}

// number reads one number.
func number(t testing.TB, s *store.Store, text string) (n int64) {
	t.Helper()
	require.NoError(t, s.Read(t.Context(), store.System("a test looks"), raw{text: text}, func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

// hold keeps the writer inside a write until release, so that what is written
// meanwhile shares the next transaction.
func hold(t testing.TB, s *store.Store) (release func()) {
	t.Helper()
	inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- s.Write(context.WithoutCancel(t.Context()), func(context.Context, *store.Tx) error {
			once.Do(func() { close(inside) })
			<-leave
			return nil
		})
	}()
	<-inside
	release = sync.OnceFunc(func() {
		close(leave)
		require.NoError(t, <-done)
	})
	t.Cleanup(release)
	return release
}

// queue hands a write to the store and returns when it waits for its turn.
func queue(t testing.TB, s *store.Store, ctx context.Context, fn write) (outcome <-chan error) { //nolint:revive // the test comes first, as everywhere
	t.Helper()
	done, before := make(chan error, 1), s.Waiting()
	go func() { done <- s.Write(ctx, fn) }()
	eventually(t, func() bool { return s.Waiting() > before }, "the write is queued")
	return done
}

// together runs writes in one transaction, in order, and returns their outcomes.
func together(t testing.TB, s *store.Store, writes ...write) []error {
	t.Helper()
	release := hold(t, s)
	outcomes := make([]<-chan error, len(writes))
	for i, fn := range writes {
		outcomes[i] = queue(t, s, t.Context(), fn)
	}
	release()
	errs := make([]error, len(writes))
	for i, outcome := range outcomes {
		errs[i] = <-outcome
	}
	return errs
}

func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond, what)
}

// admin is a connection of the test's own to the database of a store.
func admin(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver := "sqlite3"
	if parleytest.OnPostgres() {
		driver = "pgx"
	}
	db, err := sql.Open(driver, url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
