package pgbus_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/desk/feed/pgbus"
)

func TestANotificationComesBackAsItsMessage(t *testing.T) {
	t.Parallel()
	for _, m := range []feed.Message{
		{Position: 0},
		{Position: 1 << 60},
		{Kind: "x", Payload: []byte{}},
		{Kind: "a kind", Payload: []byte("a payload\x00with anything ")},
		{Kind: strings.Repeat("k", feed.MaxSignalKind), Payload: []byte(strings.Repeat("p", feed.MaxSignal))},
	} {
		text := pgbus.Write("me", m)
		require.Less(t, len(text), 8000, "PostgreSQL's bound")
		from, got, ok := pgbus.Read(text)
		require.True(t, ok)
		require.Equal(t, "me", from)
		require.Equal(t, m, got)
	}
	for _, text := range []string{"", "me", "me x", "me  ", "me * *", "me eA *", "me  eA", "me eA eA eA"} {
		_, _, ok := pgbus.Read(text)
		require.False(t, ok, "%q", text)
	}
}

// heard keeps what a process hears.
type heard struct {
	mu        sync.Mutex
	positions map[int64]bool
	signals   []string
}

func listen(t *testing.T, b *pgbus.Bus) *heard {
	t.Helper()
	h := &heard{positions: map[int64]bool{}}
	t.Cleanup(b.Subscribe(func(position int64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.positions[position] = true
	}))
	t.Cleanup(b.OnSignal("test", func(payload []byte) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.signals = append(h.signals, string(payload))
	}))
	return h
}

func (h *heard) eventually(t *testing.T, position int64, signals ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.positions[position] && strings.Join(h.signals, ",") == strings.Join(signals, ",")
	}, 10*time.Second, time.Millisecond, "position %d and %q", position, signals)
}

func open(t *testing.T, url string) (*pgbus.Bus, *pgxpool.Pool) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b := pgbus.Open(pool)
	t.Cleanup(b.Close)
	require.Eventually(t, b.Connected, 10*time.Second, time.Millisecond)
	return b, pool
}

func TestProcessesHearEachOther(t *testing.T) {
	t.Parallel()
	if !parleytest.OnPostgres() {
		return // there is no database to carry it
	}
	url := parleytest.Database(t)
	here, _ := open(t, url)
	there, _ := open(t, url)
	elsewhere, _ := open(t, parleytest.Database(t))
	own, other, stranger := listen(t, here), listen(t, there), listen(t, elsewhere)
	here.Publish(1)
	here.Signal("test", []byte("one"))
	require.True(t, own.positions[1], "within the process at once")
	require.Equal(t, []string{"one"}, own.signals)
	other.eventually(t, 1, "one")
	there.Signal("other", []byte("of another kind"))
	there.Signal("test", []byte("two"))
	there.Publish(2)
	own.eventually(t, 2, "one", "two")
	other.eventually(t, 2, "one", "two")
	require.Empty(t, stranger.signals, "another database hears nothing")
	var writers sync.WaitGroup
	for w := range int64(8) {
		writers.Go(func() {
			for n := range int64(500) {
				here.Publish(3 + n*8 + w)
			}
		})
	}
	writers.Wait()
	other.eventually(t, 3+499*8+7, "one", "two")
}

// A listener whose connection is cut comes back by itself and looks at once.
func TestABrokenConnectionIsOpenedAgain(t *testing.T) {
	t.Parallel()
	if !parleytest.OnPostgres() {
		return // there is no database to carry it
	}
	url := parleytest.Database(t)
	here, pool := open(t, url)
	there, _ := open(t, url)
	other := listen(t, there)
	_, err := pool.Exec(context.Background(),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !here.Connected() && !there.Connected() }, 10*time.Second, time.Millisecond)
	here.Publish(7)
	require.Eventually(t, func() bool { return here.Connected() && there.Connected() }, 10*time.Second, time.Millisecond)
	other.eventually(t, 0) // the look
	here.Publish(8)
	other.eventually(t, 8)
}
