package feed_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
)

// Streams that begin anywhere in the log, at any moment, while many write: each
// gives every event it wants after its beginning, once and in order.
func TestReplayGoesLiveWithNoHoleAndNoRepeat(t *testing.T) {
	t.Parallel()
	const writers, writes, readers = 4, 40, 24
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	d := setup(t)
	plan := make([][]int, writers) // events per write
	last := d.base
	for w := range plan {
		for range writes {
			n := 1 + random.IntN(3)
			plan[w], last = append(plan[w], n), last+int64(n)
		}
	}
	var running sync.WaitGroup
	failed := make(chan error, writers+readers)
	for range readers {
		join := d.base + random.Int64N(last-d.base)        // when it comes
		after := d.base + random.Int64N(join-d.base+1)     // where it begins
		modulus, rest := int64(1+random.IntN(3)), int64(0) // what it wants
		running.Go(func() { failed <- d.readAll(t.Context(), join, after, last, modulus, rest) })
	}
	for w, counts := range plan {
		running.Go(func() {
			for _, n := range counts {
				if err := d.add(int64(w), n); err != nil {
					failed <- err
				}
			}
		})
	}
	running.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
}

// readAll follows from after, once the log has come to join, to the last
// position, and checks that it is given exactly what it wants.
func (d *desk) readAll(ctx context.Context, join, after, last, modulus, rest int64) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.Await(ctx, join); err != nil {
		return err
	}
	s := d.Follow(after, everything, func(e *feed.Event) bool { return e.Position == last || e.Position%modulus == rest })
	defer s.Close()
	for want := after + 1; want <= last; want++ {
		if want != last && want%modulus != rest {
			continue
		}
		e, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if e.Position != want {
			return fault.New(fault.Internal, "after %d, joined at %d: want %d, got %d", after, join, want, e.Position)
		}
	}
	return nil
}

// deaf is a bus that loses every hint.
type deaf struct{}

// Publish implements feed.Bus.
func (deaf) Publish(int64) {}

// Subscribe implements feed.Bus.
func (deaf) Subscribe(func(int64)) func() { return func() {} }

func TestALostHintIsHealed(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *feed.HubOptions) { o.Bus, o.Check = deaf{}, 5*time.Millisecond })
	s := d.live(all)
	d.mustAdd(1, 1)
	require.Equal(t, d.base+2, next(t, s).Position)
}

// Whoever knows of a position need not wait for the next look at the log.
func TestAwaitLooksAtOnce(t *testing.T) {
	t.Parallel()
	d := setup(t, func(o *feed.HubOptions) { o.Bus, o.Check = deaf{}, time.Hour })
	d.mustAdd(1, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, d.Await(ctx, d.base+3))
	require.Equal(t, d.base+3, d.Position())
	require.NoError(t, d.Await(ctx, d.base))
	gone, leave := context.WithCancel(t.Context())
	leave()
	require.ErrorIs(t, d.Await(gone, d.base+4), context.Canceled)
}

// What the hub observes, such as a change of rights, is known before any stream
// gives the event, whether the stream is live or replays.
func TestNoStreamOvertakesWhatIsObserved(t *testing.T) {
	t.Parallel()
	gate, observed := make(chan struct{}), make(chan int64, 16)
	d := setup(t, func(o *feed.HubOptions) {
		o.Observe = func(_ context.Context, e *feed.Event) {
			if e.ConversationID == 2 {
				<-gate
			}
			observed <- e.Position
		}
	})
	live := d.live(all)
	require.Equal(t, d.base+1, <-observed)
	d.mustAdd(2, 1)
	replayed := d.follow(d.base+1, all)
	given := make(chan int64, 2)
	for _, s := range []*feed.Stream{live, replayed} {
		go func() {
			if e, err := s.Next(t.Context()); err == nil {
				given <- e.Position
			}
		}()
	}
	d.eventually(func() bool { return d.Streams() == 2 }, "the second waits for the hub, too")
	require.Empty(t, given)
	close(gate)
	require.Equal(t, []int64{d.base + 2, d.base + 2}, []int64{<-given, <-given})
	require.Equal(t, d.base+2, <-observed)
}

func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	d := setup(t)
	live, late := d.live(all), d.follow(d.base, all)
	d.mustAdd(1, 1)
	require.NoError(t, d.Await(t.Context(), d.base+2))
	d.stop()
	require.Equal(t, d.base+2, next(t, live).Position, "what it had is given")
	_, err := live.Next(t.Context())
	requireEnds(t, err, fault.Unavailable)
	require.Equal(t, d.base+1, next(t, late).Position, "the log can still be read")
	require.Equal(t, d.base+2, next(t, late).Position)
	_, err = late.Next(t.Context())
	requireEnds(t, err, fault.Unavailable)
	requireEnds(t, d.Await(t.Context(), d.base+9), fault.Unavailable)
	require.Zero(t, d.Streams())
}
