package inbound_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/check/parleytest"
	"parley/internal/desk/inbound"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// kept is a message that Twilio received n minutes after the test's clock began.
func kept(n int, text string) twiliotest.Kept {
	return twiliotest.Kept{SID: fmt.Sprintf("SM%032x", 0xA000+n), From: customer, To: parleytest.Billing, Body: text, SentAt: parleytest.Start.Add(time.Duration(n) * time.Minute)}
}

func catchUp(t *testing.T, p *parleytest.Parley, change ...func(*inbound.CatchUpOptions)) inbound.CaughtUp {
	t.Helper()
	wish := inbound.CatchUpOptions{Account: "twilio-demo", Since: clock.Of(parleytest.Start)}
	for _, c := range change {
		c(&wish)
	}
	found, err := p.Receiver.CatchUp(context.Background(), wish)
	require.NoError(t, err)
	return found
}

func texts(t *testing.T, p *parleytest.Parley) (out []string) {
	t.Helper()
	for _, m := range messages(t, p) {
		out = append(out, m.Get("content", "text").String())
	}
	return out
}

func TestWhatTheCarrierHoldsIsTakenInOnceInItsOrder(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	server.Keep(kept(3, "three"), kept(1, "one"), kept(2, "two"), kept(60, "late"))
	status, err := server.PostInbound(t.Context(), arrive(client), twilioHook, kept(60, "late").Received())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	looked := catchUp(t, p, func(c *inbound.CatchUpOptions) { c.DryRun = true })
	require.Equal(t, [2]int{4, 3}, [2]int{looked.Listed, looked.Missing})
	require.Equal(t, []string{"late"}, texts(t, p))
	require.Equal(t, 3, catchUp(t, p).Missing)
	require.Equal(t, []string{"late", "one", "two", "three"}, texts(t, p), "behind what is there")
	require.Zero(t, catchUp(t, p).Missing)
	for i, m := range messages(t, p) {
		require.Equal(t, i+1, m.Get("number").Int())
		require.Equal(t, i == 0, m.Get("providerTime").IsNull())
	}
	require.Equal(t, "2026-11-23T09:01:00.000000Z", messages(t, p)[1].Get("providerTime").String())
	status, err = server.PostInbound(t.Context(), arrive(client), twilioHook, kept(1, "one").Received())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, messages(t, p), 4, "the webhook is the same event")
}

func TestACatchUpThatIsBrokenOffIsGoneOnWith(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(10 * time.Hour)
	for n := range 200 {
		server.Keep(kept(n, fmt.Sprint(n)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	found, err := p.Receiver.CatchUp(ctx, inbound.CatchUpOptions{
		Account: "twilio-demo", Since: clock.Of(parleytest.Start), Progress: func(f inbound.CaughtUp) {
			if f.Missing > 0 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, found.Missing, count(t, p, "messages", nil), "what was taken in stays")
	require.Equal(t, 200-found.Missing, catchUp(t, p).Missing)
	for i, text := range texts(t, p) { // the first of them
		require.Equal(t, fmt.Sprint(i), text)
	}
	require.Equal(t, 200, count(t, p, "messages", nil))
}

func TestACatchUpAndWebhooksAtOnceDoubleNothing(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	var all []twiliotest.Kept
	for n := range 40 {
		all = append(all, kept(n, fmt.Sprint("text ", n)))
	}
	server.Keep(all...)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			_, _ = server.PostInbound(t.Context(), arrive(client), twilioHook, all[i].Received())
		})
	}
	for range 3 {
		wg.Go(func() {
			_, _ = p.Receiver.CatchUp(context.Background(), inbound.CatchUpOptions{Account: "twilio-demo", Since: clock.Of(parleytest.Start)})
		})
	}
	wg.Wait()
	catchUp(t, p)
	require.Equal(t, 40, count(t, p, "messages", nil))
	require.Equal(t, 40, count(t, p, "raw_inbounds", state("DONE")))
}

func TestLongListsAreReadToTheirEndDayByDay(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(25 * time.Hour)
	for n := range 1203 {
		m := kept(n, fmt.Sprint(n))
		m.From = fmt.Sprintf("+1202555%04d", 1000+n%100)
		server.Keep(m)
	}
	found := catchUp(t, p)
	require.Equal(t, [2]int{1203, 1203}, [2]int{found.Listed, found.Missing})
	require.Equal(t, 1203, count(t, p, "messages", nil))
	var asked []string
	for _, q := range server.Lists() {
		asked = append(asked, q.Get("DateSent")+" "+q.Get("PageSize")+" "+q.Get("Page"))
	}
	require.Equal(t, []string{"2026-11-23 500 ", "2026-11-23 500 1", "2026-11-24 500 "}, asked)
}

func TestWhatIsNotOursIsLeft(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	elsewhere, before, receiving := kept(1, "to another"), kept(-30, "long before"), kept(2, "not whole")
	elsewhere.To, receiving.Status = "+12025550177", "receiving"
	server.Keep(elsewhere, before, receiving, kept(3, "ours"))
	found := catchUp(t, p)
	require.Equal(t, [3]int{2, 1, 1}, [3]int{found.Listed, found.Elsewhere, found.Missing})
	require.Equal(t, []string{"ours"}, texts(t, p))
	require.Empty(t, problems(t, p))
}

func TestFilesComeWithWhatIsCaughtUp(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	picture := kept(1, "look")
	picture.Files = []string{"image/jpeg", "image/png"}
	server.Keep(picture)
	catchUp(t, p)
	require.JSONEq(t, `{"__typename":"MediaContent","files":[{"contentType":"image/jpeg"},{"contentType":"image/png"}],"text":"look"}`,
		messages(t, p)[0].Get("content").String())
	require.Contains(t, payload(t, p), "/Messages/"+picture.SID+"/Media/ME")
	require.NotContains(t, payload(t, p), ".json")
}

// A message whose raw entry is long gone is still here once.
func TestWhatWasForgottenRawIsKnownByItsMessage(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	server.Keep(kept(1, "one"))
	catchUp(t, p)
	p.Clock.Advance(inbound.KeptFor + time.Hour)
	n, err := p.Receiver.Forget(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Zero(t, catchUp(t, p).Missing)
	require.Len(t, messages(t, p), 1)
	require.Empty(t, problems(t, p))
}

func TestStatusesThatWereLostAreCaughtUp(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	p.Run()
	_, err := server.PostInbound(t.Context(), arrive(client), twilioHook, kept(1, "Hello").Received())
	require.NoError(t, err)
	amy := p.As("amy")
	id := amy.Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	for _, text := range []string{"a", "b", "c"} {
		amy.Do(`mutation($id: ID!, $text: String!) { sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $text}) { message { id } } }`,
			parleytest.Vars{"id": id, "text": text})
	}
	p.Eventually(func() bool { return count(t, p, "attempts", entsql.EQ("status", "SENT")) == 3 }, "Twilio takes them")
	for i, m := range server.Got() {
		server.Keep(twiliotest.Kept{
			SID: m.SID, From: m.From, To: m.To, Body: m.Body, Direction: "outbound-api", SentAt: parleytest.Start,
			Status: []string{"delivered", "undelivered", "sending"}[i], ErrorCode: []int{0, 30005, 0}[i],
		})
	}
	server.Keep(twiliotest.Kept{SID: "SM" + strings.Repeat("f", 32), From: parleytest.Billing, To: customer, Direction: "outbound-reply", Status: "delivered", SentAt: parleytest.Start})
	require.Equal(t, 2, catchUp(t, p).Receipts)
	for status, n := range map[string]int{"DELIVERED": 1, "FAILED": 1, "SENT": 1} {
		require.Equal(t, n, count(t, p, "attempts", entsql.EQ("status", status)), status)
	}
	require.Equal(t, 1, count(t, p, "messages", entsql.EQ("error_code", "2001")))
	require.Zero(t, catchUp(t, p).Receipts)
	require.Zero(t, count(t, p, "raw_inbounds", state("PENDING")))
}

func TestACatchUpThatCannotBeSaysWhy(t *testing.T) {
	t.Parallel()
	p, _, _ := twilio(t)
	for account, why := range map[string]string{"demo": "cannot list", "nobody": "no active account"} {
		_, err := p.Receiver.CatchUp(context.Background(), inbound.CatchUpOptions{Account: account, Since: clock.Of(parleytest.Start)})
		require.ErrorContains(t, err, why)
	}
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return account(tx.Ent).SetSecret("stale").Exec(ctx)
	}))
	_, err := p.Receiver.CatchUp(context.Background(), inbound.CatchUpOptions{Account: "twilio-demo", Since: clock.Of(parleytest.Start)})
	require.ErrorContains(t, err, "auth token")
	require.NotContains(t, err.Error(), "stale")
}

// account updates the Twilio account.
func account(c *ent.Client) *ent.ProviderAccountUpdate {
	return c.ProviderAccount.Update().Where(provideraccount.Key("twilio-demo"))
}
