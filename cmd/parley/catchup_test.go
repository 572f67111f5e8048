package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel"
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

func TestInboundStatusSaysWhatFailedAndHowToGoOn(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	status := func(flags ...string) string {
		out, err := command(t, append([]string{"--database", database, "inbound", "status"}, flags...)...)
		require.NoError(t, err)
		return out
	}
	require.Regexp(t, `(?m)^demo +sandbox +active +nothing on file +no$`, status())
	require.NotContains(t, status(), "rerun")

	p.Say("+12025550199", parleytest.Sales, "Hello")
	demo := p.Directory.Account("demo").Account
	for _, id := range []string{"one", "two"} {
		req, err := p.Messenger.Providers["sandbox"].(channel.Caller).Compose(demo, p.PublicURL()+"/webhooks/sandbox/demo",
			channel.Inbound{EventID: id, ProviderID: id, From: "+12025550199", To: "+12025550177", Text: "Is anybody there?"})
		require.NoError(t, err)
		p.Post(req)
	}
	said := status()
	require.Contains(t, said, p.Clock.Now().String())
	require.Contains(t, said, "demo: 2 could not be processed, the newest at "+p.Clock.Now().String()+": no channel of this account has the address to which the message was sent\n")
	require.Contains(t, said, "parley inbound rerun\n")
	require.Regexp(t, `(?m)^twilio-demo +twilio +active +nothing on file +yes$`, said)
	var lines []inboundLine
	require.NoError(t, json.Unmarshal([]byte(status("--json")), &lines))
	now := p.Clock.Now().String()
	require.Equal(t, inboundLine{Account: "demo", Provider: "sandbox", IsActive: true, LastHeard: now, Failed: []failureLine{{
		"no channel of this account has the address to which the message was sent", 2, now,
	}}}, lines[0])
}

// Many reasons at one account hide nothing of another's.
func TestInboundStatusIsBoundedByAccount(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	sandbox, twilio := p.Directory.Account("demo").Account, p.Directory.Account("twilio-demo").Account
	fails := func(ctx context.Context, tx *store.Tx, account int64, problem string, entries int) error {
		for entry := range entries {
			if _, err := tx.Exec(ctx, store.SQL(fmt.Sprintf(`INSERT INTO raw_inbounds (provider_account_id, event_id, state, payload, error, created_at)
				VALUES (%d, '%s %d', 'FAILED', '{}', '%s', 0)`, account, problem, entry, problem))); err != nil {
				return err
			}
		}
		return nil
	}
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		for i := range 22 {
			if err := fails(ctx, tx, sandbox.ID, fmt.Sprintf("reason %d", i), i+2); err != nil {
				return err
			}
		}
		return fails(ctx, tx, twilio.ID, "a rare one", 1)
	}))
	said, err := command(t, "--database", database, "inbound", "status")
	require.NoError(t, err)
	require.Equal(t, 20, strings.Count(said, ": reason "))
	require.Contains(t, said, "demo: 23 could not be processed")
	require.Contains(t, said, "\ndemo: and 2 more reasons\n")
	require.Contains(t, said, "twilio-demo: 1 could not be processed")
	require.Contains(t, said, "parley inbound catch-up")

	_, err = command(t, "--database", database, "account", "deactivate", "twilio-demo")
	require.NoError(t, err)
	said, err = command(t, "--database", database, "inbound", "status")
	require.NoError(t, err)
	require.NotContains(t, said, "catch-up", "no active account can")
}
