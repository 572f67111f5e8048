package journal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/journal"
	"parley/internal/ground/viewer"
)

// Refusals carry the minute that they happened in, and an IPv6 subscriber is one address.
func TestRefusalsAreCountedByMinuteAndNetwork(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	refusals := &journal.Refusals{Store: p.Store}
	refuse := func(from string) { refusals.Count(viewer.FromAddress(t.Context(), &from), errors.New("bad")) }
	began := p.Clock.Now().Std().Truncate(time.Minute)
	for _, from := range []string{"[2001:db8:1:2::1]:443", "[2001:db8:1:2:ffff::9]:1", "192.0.2.7:1", "192.0.2.8:1", "[::ffff:192.0.2.8]:1"} {
		refuse(from)
	}
	p.Clock.Advance(90 * time.Second)
	refuse("[2001:db8:1:2::3]:443")
	p.Clock.Advance(time.Hour)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	refusals.Run(stopped) // writes what is left
	entries, err := p.Store.Ent.AuditEntry.Query().All(p.System())
	require.NoError(t, err)
	got := map[string]int64{}
	for _, e := range entries {
		if e.Action == string(journal.SignInRefused) {
			got[e.CreatedAt.Std().Sub(began).String()+" "+e.Source] = e.Count
		}
	}
	later := p.Clock.Now().Std().Add(-time.Hour).Truncate(time.Minute).Sub(began).String()
	require.Equal(t, map[string]int64{
		"0s 2001:db8:1:2::/64": 2, "0s 192.0.2.7": 1, "0s 192.0.2.8": 2, later + " 2001:db8:1:2::/64": 1,
	}, got)
}
