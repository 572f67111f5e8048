package feed_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// The log is trimmed while it serves: a cursor it still reaches goes on, one it
// does not reach is told to start again.
func TestACursorBeforeTheLogIsToldToStartAgain(t *testing.T) {
	t.Parallel()
	const added = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor message { content { ... on TextContent { text } } } } }`
	p := parleytest.New(t, func(c *app.Config) {
		c.Jobs.Sweep = time.Hour
		c.Log = feed.Retention{Events: 15, Least: 1, Every: 50 * time.Millisecond}
	}).Run()
	s := p.As("ada").Subscribe(added, nil)
	cursors := []string{s.Next().Get("messageAdded", "cursor").String()}
	for n := range 20 {
		p.Say("+12025550199", parleytest.Sales, fmt.Sprintf("text %d", n))
		e := s.Next().Get("messageAdded")
		require.Equal(t, fmt.Sprintf("text %d", n), e.Get("message", "content", "text").String())
		cursors = append(cursors, e.Get("cursor").String())
	}
	p.Eventually(func() bool { return held(t, p.Store) <= 15 }, "the log is trimmed")

	young := p.As("ada").Subscribe(added, parleytest.Vars{"after": cursors[18]})
	for n := 18; n < 20; n++ {
		e := young.Next().Get("messageAdded")
		if e.Get("kind").String() == "OPEN" {
			e = young.Next().Get("messageAdded")
		}
		require.Equal(t, fmt.Sprintf("text %d", n), e.Get("message", "content", "text").String())
	}

	for _, cursor := range cursors[:2] {
		old := p.As("ada").Subscribe(added, parleytest.Vars{"after": cursor})
		frame, err := old.Read(10 * time.Second)
		for err == nil && frame.Type == "next" { // where it stands
			frame, err = old.Read(10 * time.Second)
		}
		require.NoError(t, err)
		require.Equal(t, "error", frame.Type, string(frame.Payload))
		require.Contains(t, string(frame.Payload), "RESYNC_REQUIRED")
	}
}

// held returns how many events the log holds.
func held(t testing.TB, s *store.Store) (n int) {
	t.Helper()
	require.NoError(t, s.Read(t.Context(), store.System("a test looks"), store.SQL("SELECT COUNT(*) FROM events"), func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}
