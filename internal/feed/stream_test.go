package feed_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/fault"
	"parley/internal/feed"
	"parley/internal/parleytest"
)

// A stream that nobody reads ends with the cursor of what it gave last, from
// which the rest can be had; it costs the others nothing.
func TestASlowStreamEndsWithItsLastGoodCursorAndBlocksNobody(t *testing.T) {
	t.Parallel()
	d := setup(t)
	slow, quick := d.live(all), d.live(all)
	const batch, batches = 300, 6 // more than a buffer
	first := d.Position()
	for range batches {
		d.mustAdd(1, batch)
		for range batch {
			first++
			require.Equal(t, first, next(t, quick).Position)
		}
	}
	require.Equal(t, 1, d.Streams(), "the slow one is out")

	given := d.base + 1
	var err error
	for err == nil {
		var e *feed.Event
		if e, err = slow.Next(t.Context()); err == nil {
			given++
			require.Equal(t, given, e.Position)
		}
	}
	cursor := requireEnds(t, err, fault.ResyncRequired)
	good, err := d.Cursors.Decode(cursor)
	require.NoError(t, err)
	require.Equal(t, given, good)
	resumed := d.follow(good, all)
	for given < first {
		given++
		require.Equal(t, given, next(t, resumed).Position)
	}
}

func TestACursorOlderThanTheLogIsRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.mustAdd(1, 5)
	require.NoError(t, d.Await(t.Context(), d.base+5))
	driver := map[bool]string{true: "pgx", false: "sqlite3"}[parleytest.OnPostgres()]
	db, err := sql.Open(driver, d.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), "DELETE FROM events WHERE id <= (SELECT MAX(id) - 2 FROM events)")
	require.NoError(t, err)

	_, err = d.follow(d.base, all).Next(t.Context())
	requireEnds(t, err, fault.ResyncRequired)
	require.Equal(t, d.base+4, next(t, d.follow(d.base+3, all)).Position, "what is there can be had")
}

// Streams come and go while events are handed on.
func TestStreamsCloseWhileEventsAreDelivered(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var running sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		running.Go(func() {
			for open := true; open; {
				select {
				case <-done:
					open = false
				default:
				}
				ctx, cancel := context.WithCancel(t.Context())
				s := d.Follow(d.Position(), func(*feed.Event) bool { cancel(); return true })
				for range 3 {
					_, _ = s.Next(ctx) // until the first event comes
				}
				s.Close()
				s.Close()
				cancel()
			}
		})
	}
	for i := range 60 {
		d.mustAdd(int64(i), 5)
	}
	close(done)
	left := make(chan struct{})
	go func() { running.Wait(); close(left) }()
	for open := true; open; {
		select {
		case <-left:
			open = false
		default:
			d.mustAdd(1, 1) // wakes those who wait for a first event
		}
	}
	require.Zero(t, d.Streams())
}

func TestAStreamEndsWithItsReader(t *testing.T) {
	t.Parallel()
	d := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := d.follow(d.base, all)
	ended := make(chan error, 1)
	go func() { _, err := s.Next(ctx); ended <- err }()
	d.eventually(func() bool { return d.Streams() == 1 }, "it waits")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	s.Close()
	require.Zero(t, d.Streams())
}

// What the streams of a process read for an event is read once.
func TestWhatIsSharedIsLoadedOnce(t *testing.T) {
	t.Parallel()
	var e feed.Event
	var loads atomic.Int64
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() {
			got, err := e.Shared("row", func() (any, error) { return loads.Add(1), nil })
			if err != nil || got != int64(1) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	asking.Wait()
	require.EqualValues(t, 1, loads.Load())

	broken := errors.New("broken")
	_, err := e.Shared("message", func() (any, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	got, err := e.Shared("message", func() (any, error) { return "there now", nil })
	require.NoError(t, err)
	require.Equal(t, "there now", got)
}
