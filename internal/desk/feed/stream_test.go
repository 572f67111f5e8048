package feed_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
)

// A stream that nobody reads ends with the cursor of what it gave last, from
// which the rest can be had; it costs the others nothing.
func TestASlowStreamEndsWithItsLastGoodCursorAndBlocksNobody(t *testing.T) {
	t.Parallel()
	d := setup(t)
	slow, quick := d.live(all), d.live(all)
	const batch, batches = 500, 12 // more than a buffer
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
		var e *feed.Delivery
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
	d.trim(d.base + 3)
	_, err := d.follow(d.base, all).Next(t.Context())
	requireEnds(t, err, fault.ResyncRequired)
	require.Equal(t, d.base+4, next(t, d.follow(d.base+3, all)).Position, "what is there can be had")
	d.trim(d.base + 5)
	_, err = d.follow(d.base+4, all).Next(t.Context())
	requireEnds(t, err, fault.ResyncRequired)
	atHead := d.follow(d.base+5, all)
	d.mustAdd(1, 1)
	require.Equal(t, d.base+6, next(t, atHead).Position, "an empty log goes on from its head")
}

// A process may be asked to go on from a cursor that its own hub has yet to reach.
func TestAStreamAheadOfTheHubIsGivenNothingFromBeforeItsCursor(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *feed.HubOptions) { o.Bus, o.Check = deaf{}, time.Hour })
	d.mustAdd(1, 4)
	s := d.follow(d.base+3, all)
	got := make(chan *feed.Delivery, 1)
	go func() { e, _ := s.Next(t.Context()); got <- e }()
	d.eventually(func() bool { return d.Streams() == 1 }, "it is live")
	require.NoError(t, d.Await(t.Context(), d.base+4))
	require.Equal(t, d.base+4, (<-got).Position)
}

// What is removed before a stream has replayed it ends the stream; it gives what
// it has read.
func TestAStreamEndsWhenItsReplayIsTrimmed(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const page = 500
	d.mustAdd(1, 3*page)
	require.NoError(t, d.Await(t.Context(), d.base+3*page))
	s := d.follow(d.base, all)
	for i := range int64(page) {
		require.Equal(t, d.base+i+1, next(t, s).Position)
		if i == 0 {
			d.trim(d.base + 2*page)
		}
	}
	_, err := s.Next(t.Context())
	requireEnds(t, err, fault.ResyncRequired)
}

// A live stream has no need of what is removed.
func TestTrimmingDoesNotDisturbALiveStream(t *testing.T) {
	t.Parallel()
	d := setup(t)
	s := d.live(all)
	for i := range int64(5) {
		d.mustAdd(1, 1)
		require.NoError(t, d.Await(t.Context(), d.base+2+i))
		d.trim(d.base + 2 + i)
	}
	for i := range int64(5) {
		require.Equal(t, d.base+2+i, next(t, s).Position)
	}
}

// A process that was away while the log went on and was trimmed cannot know what
// it missed: it reads the directory again and every stream ends.
func TestAHubThatMissedWhatWasTrimmedEndsItsStreams(t *testing.T) {
	t.Parallel()
	for _, left := range []int64{0, 3} {
		observed := make(chan *feed.Event, 100)
		d := setup(t, func(o *feed.HubOptions) {
			o.Bus, o.Check = deaf{}, time.Hour // it hears nothing until it is asked
			o.Observe = func(_ context.Context, e *feed.Event) { observed <- e }
		})
		s := d.follow(d.base, all)
		waiting := make(chan error, 1)
		go func() { _, err := s.Next(t.Context()); waiting <- err }()
		d.eventually(func() bool { return d.Streams() == 1 }, "it is live")
		d.mustAdd(1, 10)
		d.trim(d.base + 10 - left)
		require.NoError(t, d.Await(t.Context(), d.base+10))
		requireEnds(t, <-waiting, fault.ResyncRequired)
		require.Equal(t, feed.DirectoryChanged, (<-observed).Cause)
		require.Empty(t, observed)
		require.Zero(t, d.Streams())

		after := d.follow(d.base+10, all)
		d.mustAdd(1, 1)
		require.NoError(t, d.Await(t.Context(), d.base+11))
		require.Equal(t, d.base+11, next(t, after).Position, "and it goes on")
	}
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
				s := d.Follow(d.Position(), everything, func(*feed.Event) bool { cancel(); return true })
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
	var e feed.Delivery
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

// A stream that does not wait says so, and calls when there is something.
func TestAStreamThatDoesNotWaitIsWoken(t *testing.T) {
	t.Parallel()
	d := setup(t)
	s := d.follow(d.base, all)
	woken := make(chan struct{}, 100)
	s.Notify(func() { woken <- struct{}{} })
	idle := func() {
		t.Helper()
		_, err := s.Next(t.Context())
		require.ErrorIs(t, err, feed.ErrIdle)
	}
	idle()
	for n := range int64(3) {
		d.mustAdd(1, 1)
		<-woken
		require.Equal(t, d.base+n+1, next(t, s).Position)
		idle()
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	_, err := s.Next(left)
	require.ErrorIs(t, err, context.Canceled)
	d.stop()
	<-woken
	_, err = s.Next(t.Context())
	requireEnds(t, err, fault.Unavailable)
}
