package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func TestInboundCatchUpSaysWhatItDid(t *testing.T) {
	t.Parallel()
	server := twiliotest.New(twilio.Credentials{SID: twilio.DemoSID, Token: twilio.DemoToken})
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("twilio-demo")).SetBaseURL(front.URL).Exec(ctx)
	}))
	sent := time.Now().Add(-time.Minute)
	server.Keep(
		twiliotest.Kept{SID: "SM1", From: "+12025550199", To: parleytest.Billing, Body: "Hello?", SentAt: sent},
		twiliotest.Kept{SID: "SM2", From: "+12025550199", To: "+12025550177", Body: "Hello?", SentAt: sent},
	)
	_, err := command(t, "--database", database, "inbound", "catch-up")
	require.ErrorContains(t, err, "--since")
	for _, since := range []string{"tomorrow", "-2h", "2999-01-01"} {
		_, err := command(t, "--database", database, "inbound", "catch-up", "--since="+since)
		require.ErrorContains(t, err, "--since")
	}
	_, err = command(t, "--database", database, "inbound", "catch-up", "--since=1h", "--account=demo")
	require.ErrorContains(t, err, "cannot list")
	for _, step := range []struct{ flag, says string }{
		{"--dry-run", "Missing: 1."}, {"--account=twilio-demo", "Processed: 1."}, {"--dry-run", "Missing: 0."},
	} {
		out, err := command(t, "--database", database, "inbound", "catch-up", "--since=1h", step.flag)
		require.NoError(t, err)
		require.Contains(t, out, "Received since ")
		require.Contains(t, out, ": 2. To numbers that are not sender IDs here: 1. "+step.says+" Statuses of sent messages: 0.\n")
		require.Contains(t, out, "twilio-demo: checking "+sent.UTC().Format(time.DateOnly))
	}
	out, err := command(t, "--database", database, "inbound", "catch-up")
	require.NoError(t, err, "something was seen by now")
	require.Contains(t, out, "Processed: 0.")
}
