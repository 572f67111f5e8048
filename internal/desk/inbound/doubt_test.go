package inbound_test

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/inbound"
	"parley/internal/ground/store"
)

func jobs(t *testing.T, p *parleytest.Parley, state string) int {
	t.Helper()
	where := entsql.EQ("kind", "catch_up")
	if state != "" {
		where = entsql.And(where, entsql.EQ("state", state))
	}
	return count(t, p, "river_job", where)
}

// sinces are since when the jobs look back, oldest first.
func sinces(t *testing.T, p *parleytest.Parley) (out []string) {
	t.Helper()
	q := store.Fixed("SELECT args ->> 'since' FROM river_job WHERE kind = 'catch_up' ORDER BY id").With()
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var since string
		err := rows.Scan(&since)
		out = append(out, since)
		return err
	}))
	return out
}

// What came while webhooks were refused is here soon after the database is, without
// anybody's doing.
func TestWhatWasRefusedIsCaughtUpByItself(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	rename(t, p, "raw_inbounds", "hidden")
	server.Keep(kept(0, "Hello?"))
	status, err := server.PostInbound(t.Context(), arrive(client), twilioHook, kept(0, "Hello?").Received())
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
	rename(t, p, "hidden", "raw_inbounds")
	p.Run()
	p.Eventually(func() bool { return count(t, p, "messages", nil) == 1 }, "it is caught up with")
	require.Equal(t, []string{"Hello?"}, texts(t, p))
}

// A process that starts asks for what came since the last sign of life.
func TestWhatCameWhileNoProcessRanIsCaughtUpAtTheStart(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p, server, client := twilioAt(t, database)
	_, err := server.PostInbound(t.Context(), arrive(client), twilioHook, kept(0, "one").Received())
	require.NoError(t, err)
	server.Keep(kept(0, "one"), kept(20, "two"))
	p.Stop()
	next := parleytest.OpenAt(t, database)
	next.Clock.Advance(time.Hour)
	next.Run()
	next.Eventually(func() bool { return count(t, next, "messages", nil) == 2 }, "it is caught up with")
	require.Equal(t, []string{"one", "two"}, texts(t, next))
}

func TestNothingIsAskedForWhereNothingEverCame(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	server.Keep(kept(-60, "before our time"))
	require.NoError(t, p.Receiver.Doubt(context.Background()))
	require.NoError(t, p.Receiver.AskCatchUps(context.Background()))
	require.Zero(t, jobs(t, p, ""))
	_, err := p.Receiver.LastSeen(context.Background(), "twilio-demo")
	require.ErrorIs(t, err, inbound.ErrNothingSeen)
}

// However often it is in doubt, a carrier is asked once in a while.
func TestCatchUpsOfAnAccountKeepTheirDistance(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	_, err := server.PostInbound(t.Context(), arrive(client), twilioHook, kept(0, "one").Received())
	require.NoError(t, err)
	doubt := func() {
		require.NoError(t, p.Receiver.Doubt(context.Background()))
		require.NoError(t, p.Receiver.AskCatchUps(context.Background()))
	}
	doubt()
	doubt()
	require.Equal(t, 1, jobs(t, p, ""), "one that waits does for both")
	run(t, p, "UPDATE river_job SET state = 'completed', finalized_at = scheduled_at")
	p.Clock.Advance(time.Minute)
	doubt()
	require.Equal(t, 2, jobs(t, p, ""))
	require.Equal(t, 1, jobs(t, p, "scheduled"), "the next waits until five minutes after the last")
	require.Equal(t, sinces(t, p)[0], sinces(t, p)[1], "nothing came meanwhile")

	run(t, p, "UPDATE river_job SET state = 'running', attempt = 1, finalized_at = NULL WHERE state = 'scheduled'")
	p.Clock.Advance(time.Hour)
	_, err = server.PostInbound(t.Context(), arrive(client), twilioHook, kept(1, "two").Received())
	require.NoError(t, err)
	doubt()
	require.Equal(t, sinces(t, p)[1], sinces(t, p)[2], "as far back as the one that its process did not end")
}
