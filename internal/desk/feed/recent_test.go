package feed_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/feed"
)

// Who comes back soon costs the database nothing: here it has nothing left.
func TestWhatAHubStillKnowsIsNotReadFromTheLog(t *testing.T) {
	t.Parallel()
	d := setup(t, mindful)
	d.mustAdd(1, 1200) // more than a page
	require.NoError(t, d.Await(t.Context(), d.base+1200))
	d.trim(d.base + 1200)
	s := d.follow(d.base+7, all)
	for position := d.base + 8; position <= d.base+1200; position++ {
		require.Equal(t, position, next(t, s).Position)
	}
}

// A hub that was not there when something happened reads it from the log once.
func TestWhatOneStreamReadsFromTheLogTheNextFinds(t *testing.T) {
	t.Parallel()
	d := setup(t, mindful)
	d.mustAdd(1, 20)
	require.NoError(t, d.Await(t.Context(), d.base+20))
	late, err := feed.NewHub(t.Context(), d.store, d.Cursors, feed.HubOptions{Bus: feed.NewLocal(), Recent: 64})
	require.NoError(t, err)
	for range 2 {
		s := late.Follow(d.base, everything, all)
		t.Cleanup(s.Close)
		for n := range int64(20) {
			require.Equal(t, d.base+1+n, next(t, s).Position)
		}
		d.trim(d.base + 20)
	}
}

// What was read for an event when it happened may not be so any more.
func TestWhoComesBackSharesNothingOld(t *testing.T) {
	t.Parallel()
	d := setup(t, mindful)
	live := d.live(all)
	d.mustAdd(1, 1)
	old := next(t, live)
	for _, row := range []string{"then", "later", "last"} {
		got, err := old.Shared("row", func() (any, error) { return row, nil })
		require.NoError(t, err)
		require.Equal(t, row, got)
		again := next(t, d.follow(old.Position-1, all))
		require.Equal(t, old.Event, again.Event)
		old = again
	}
}

// However few are kept, a stream gives each event after its cursor once.
func TestStreamsAreWholeHoweverFewEventsAreKept(t *testing.T) {
	t.Parallel()
	for _, kept := range []int{0, 1, 3, 64} {
		d := setup(t, func(o *feed.HubOptions) { o.Recent = kept })
		head := d.base
		rapid.Check(t, func(r *rapid.T) {
			added := rapid.IntRange(0, 20).Draw(r, "added")
			d.mustAdd(1, added)
			head += int64(added)
			require.NoError(t, d.Await(t.Context(), head))
			after := max(d.base, head-rapid.Int64Range(0, 100).Draw(r, "behind"))
			s := d.Follow(after, everything, all)
			defer s.Close()
			for position := after + 1; position <= head; position++ {
				require.Equal(t, position, next(t, s).Position)
			}
		})
	}
}
