package store_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/blackbox"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// behindProxy opens a store that reaches PostgreSQL through a proxy.
func behindProxy(t *testing.T, database string) (*store.Store, *blackbox.Proxy) {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	proxy, err := blackbox.StartProxy(t.Context(), u.Host)
	require.NoError(t, err)
	u.Host, u.RawQuery = proxy.Address(), "sslmode=disable" // the proxy reads along
	s := open(t, u.String(), func(o *store.Options) { o.TransactionTime = time.Second })
	t.Cleanup(proxy.Close) // before the store, which waits for connections to end
	return s, proxy
}

// A connection that goes silent, most cruelly at COMMIT, does not hold the writer
// for ever: everybody in the transaction is told that the outcome is unknown, and
// the next write goes on over another connection. (A SQLite file is no network.)
func TestAConnectionThatGoesSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		at        string
		passed    bool
		committed bool
	}{
		"before the commit arrives": {"commit", false, false},
		"after the commit arrived":  {"commit", true, true},
		"before it begins":          {"begin", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !parleytest.OnPostgres() {
				return
			}
			database := parleytest.Database(t)
			s, proxy := behindProxy(t, database)
			silent := proxy.SilenceAt(test.at, test.passed)
			start, first := time.Now(), make(chan error, 1)
			go func() { first <- s.Write(t.Context(), put("first")) }()
			eventually(t, func() bool { return closed(silent) }, "the connection goes silent")
			second := queue(t, s, t.Context(), put("second"))
			err := <-first
			require.ErrorContains(t, err, "did not answer in time")
			require.True(t, store.Passing(err), "the same write may well take effect later")
			require.NoError(t, <-second, "the writer lives on")
			require.Less(t, time.Since(start), 8*time.Second)
			other := open(t, database)
			require.Equal(t, test.committed, has(t, other, "first"))
			require.True(t, has(t, other, "second"))
		})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
