package peer_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/desk/peer"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

const lifetime = 300 * time.Millisecond

// process is a running roster, with a store of its own as a process has.
type process struct {
	*peer.Roster
	store *store.Store
	stop  func()
}

func start(t *testing.T, url string, signals feed.Signals) *process {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	p := &process{store: s, Roster: peer.New(peer.Options{
		Store: s, Signals: signals, Bus: func() string { return "here" }, Lifetime: lifetime,
	})}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	p.stop = func() { cancel(); <-done }
	t.Cleanup(func() { p.stop(); require.NoError(t, s.Close()) })
	return p
}

func (p *process) list(t *testing.T) []peer.Process {
	t.Helper()
	all, err := peer.List(t.Context(), p.store)
	require.NoError(t, err)
	return all
}

func eventually(t *testing.T, ok func() bool, what string) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 10*time.Millisecond, what)
}

func TestAProcessKeepsARowWhileItRuns(t *testing.T) {
	t.Parallel()
	url, bus := parleytest.Database(t), feed.NewLocal()
	one := start(t, url, bus)
	eventually(t, func() bool { return len(one.list(t)) == 1 }, "one is there")
	row := one.list(t)[0]
	require.Equal(t, one.Name(), row.Name)
	require.NotEmpty(t, row.Host)
	require.NotEmpty(t, row.Version)
	require.Equal(t, "here", row.Bus)
	require.InDelta(t, time.Now().UnixMicro(), int64(row.SeenAt), float64(time.Minute.Microseconds()))
	eventually(t, func() bool { return one.list(t)[0].SeenAt > row.SeenAt }, "it says again that it lives")
	require.Equal(t, row.StartedAt, one.list(t)[0].StartedAt)

	two := start(t, url, bus)
	eventually(t, func() bool { return len(one.list(t)) == 2 }, "two are there")
	two.stop()
	require.Len(t, one.list(t), 1, "who stops in order leaves no row")
}

func TestRowsOfTheDeadAreSweptAndNobodyWaitsForThem(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	one := start(t, url, feed.NewLocal())
	eventually(t, func() bool { return len(one.list(t)) == 1 }, "one is there")
	now := clock.Real{}.Now()
	require.NoError(t, one.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		insert := tx.Builder().Insert("processes").Columns("name", "host", "version", "seen_at").
			Values("long dead", "h", "v", int64(now.Add(-peer.SweptAfter-time.Second))).
			Values("just dead", "h", "v", int64(now))
		_, err := tx.Exec(ctx, insert)
		return err
	}))
	eventually(t, func() bool { return len(one.list(t)) == 2 }, "one is swept")
	for _, p := range one.list(t) {
		require.NotEqual(t, "long dead", p.Name)
	}
	seen := one.list(t)[0].SeenAt
	eventually(t, func() bool { return one.list(t)[0].SeenAt.Sub(seen) > 3*lifetime }, "three lifetimes go by")
	require.Empty(t, one.Unheard(), "a row that does not move is nobody's")
}

func TestProcessesWithoutACommonBusAreTold(t *testing.T) {
	t.Parallel()
	url, common := parleytest.Database(t), feed.NewLocal()
	one, two := start(t, url, common), start(t, url, common)
	apart := start(t, url, feed.NewLocal())
	eventually(t, func() bool { return len(one.Unheard()) == 1 && len(two.Unheard()) == 1 && len(apart.Unheard()) == 2 }, "each misses the others")
	require.Contains(t, one.Unheard()[0], apart.Name())

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.ElementsMatch(t, []string{one.Name(), two.Name()}, peer.Ask(ctx, common, []string{one.Name(), two.Name()}))
	short, cancel := context.WithTimeout(t.Context(), lifetime)
	defer cancel()
	require.Equal(t, []string{two.Name()}, peer.Ask(short, common, []string{two.Name(), apart.Name()}))

	apart.stop()
	eventually(t, func() bool { return len(one.Unheard()) == 0 && len(two.Unheard()) == 0 }, "all that is left is heard")
}
