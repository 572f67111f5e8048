package message_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
)

// postReceipt reports a status of a message the carrier took.
func postReceipt(p *parleytest.Parley, m sandbox.Message, url, event string, s channel.Status) int {
	p.T.Helper()
	e := sandbox.ReceiptEntry(m.ID, s, "2004")
	e.ID = event
	req, err := sandbox.Compose(m.Secret, url, e)
	return post(p, req, err)
}

// keyless is a status URL without the attempt's key.
func keyless(statusURL string) string {
	bare, _, _ := strings.Cut(statusURL, "?")
	return bare
}

// orders are all orders of all non-empty subsets of the statuses a carrier reports.
func orders() (out [][]channel.Status) {
	var grow func(order, rest []channel.Status)
	grow = func(order, rest []channel.Status) {
		if len(order) > 0 {
			out = append(out, append([]channel.Status(nil), order...))
		}
		for i, s := range rest {
			others := append(append([]channel.Status(nil), rest[:i]...), rest[i+1:]...)
			grow(append(order, s), others)
		}
	}
	grow(nil, []channel.Status{channel.Sent, channel.Delivered, channel.Read, channel.Failed})
	return out
}

// The rules, written apart from the code: READ beats DELIVERED beats FAILED beats
// SENT beats SENDING.
const precedence = "SENDING SENT FAILED DELIVERED READ"

// story is what the log must say after these reports, one line for each change.
func story(reports ...string) (changes []string) {
	at := -1
	for _, r := range reports {
		if i := strings.Index(precedence, r); i > at {
			at, changes = i, append(changes, r)
		}
	}
	return changes
}

func TestReceiptsInEveryOrderGiveTheStatusThatTheRulesSay(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		for _, keyed := range []bool{false, true} {
			t.Run(fmt.Sprintf("early %v, with the attempt's key %v", early, keyed), func(t *testing.T) {
				t.Parallel()
				receiptsInEveryOrder(t, early, keyed)
			})
		}
	}
}

func receiptsInEveryOrder(t *testing.T, early, keyed bool) {
	p := parleytest.New(t)
	h := hooked(p)
	c := begin(p, customer, parleytest.Sales)
	var order []channel.Status
	var sent sandbox.Message
	report := func() {
		to := sent.StatusURL
		if !keyed {
			to = keyless(to)
		}
		for i, s := range order {
			e := sandbox.ReceiptEntry(sent.ID, s, "2004")
			again := e
			again.ID += fmt.Sprint(".", i)
			req, err := sandbox.Compose(sent.Secret, to, e, e, again)
			require.Equal(t, 200, post(p, req, err))
		}
	}
	h.send = func(_ context.Context, a channel.Account, m channel.Outgoing) channel.Result {
		sent = sandbox.Message{ID: "SB" + m.AttemptKey, StatusURL: m.StatusURL, Secret: string(a.Credentials.(sandbox.Credentials).Secret)}
		if early {
			report()
		}
		return channel.Result{Outcome: channel.Accepted, ProviderID: sent.ID}
	}
	for i, o := range orders() {
		order = o
		id := c.send(fmt.Sprint(i))
		c.drain()
		if !early {
			report()
		}
		reports := []string{"SENDING"}
		if !early || !keyed { // the answer comes before they can be applied
			reports = append(reports, "SENT")
		}
		for _, s := range order {
			reports = append(reports, string(s))
		}
		want := story(append(reports, "SENT")...)
		require.Equal(t, want, c.statuses(id), "%v", order)
		m := c.message(id)
		last := want[len(want)-1]
		require.Equal(t, last, m.Get("status").String(), "%v", order)
		require.Equal(t, last == "FAILED", !m.Get("error").IsNull(), "%v", order)
	}
	require.Zero(t, count(t, p, "raw_inbounds", entsql.NEQ("state", "DONE")))
}

// A message that any attempt delivered is delivered, whatever becomes of the others,
// and is not sent a third time.
func TestWhatAnyAttemptDeliveredIsDelivered(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #silent")
	c.drain()
	first := p.Carrier.Got()[0]
	require.Equal(t, 200, postReceipt(p, first, first.StatusURL, "r1", channel.Failed))
	require.Equal(t, "FAILED", c.status(id))
	require.Empty(t, code(c.retry(id, "again")))
	c.drain()
	require.Equal(t, []string{"FAILED", "SENT"}, c.attempts(id))
	before := c.statuses(id)
	require.Equal(t, 200, postReceipt(p, first, keyless(first.StatusURL), "r2", channel.Delivered))
	require.Equal(t, []string{"DELIVERED", "SENT"}, c.attempts(id))
	require.Equal(t, "DELIVERED", c.status(id))
	require.Equal(t, append(before, "DELIVERED"), c.statuses(id))
	second := p.Carrier.Got()[1]
	require.Equal(t, 200, postReceipt(p, second, second.StatusURL, "r3", channel.Failed))
	require.Equal(t, []string{"DELIVERED", "FAILED"}, c.attempts(id))
	m := c.message(id)
	require.Equal(t, "DELIVERED", m.Get("status").String())
	require.True(t, m.Get("error").IsNull())
	require.Equal(t, "CONFLICT", code(c.retry(id, "thrice")))
	require.Equal(t, 200, postReceipt(p, first, first.StatusURL, "r4", channel.Read))
	require.Equal(t, "READ", c.status(id))
	require.Equal(t, 200, postReceipt(p, second, second.StatusURL, "r5", channel.Delivered))
	require.Equal(t, "READ", c.status(id), "by the other attempt")
}

// What becomes of an attempt that is not the latest, short of arriving, is its own.
func TestAReceiptOfAnOlderAttemptLeavesTheMessageAlone(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	h := hooked(p)
	c := begin(p, customer, parleytest.Sales)
	var first sandbox.Message
	h.send = func(_ context.Context, a channel.Account, m channel.Outgoing) channel.Result {
		first = sandbox.Message{ID: "SB1", StatusURL: m.StatusURL, Secret: string(a.Credentials.(sandbox.Credentials).Secret)}
		return channel.Result{Outcome: channel.Unknown}
	}
	id := c.send("one #silent")
	c.drain()
	h.send = nil
	require.Empty(t, code(c.retry(id, "again")))
	c.drain()
	before := c.statuses(id)
	require.Equal(t, 200, postReceipt(p, first, first.StatusURL, "r1", channel.Failed))
	require.Equal(t, []string{"FAILED", "SENT"}, c.attempts(id))
	require.Equal(t, before, c.statuses(id), "no event")
}

// An attempt that the carrier puts off after an earlier one has arrived takes nothing
// of that back.
func TestADeliveredMessageIsNotQueuedAgain(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	h := hooked(p)
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #silent")
	c.drain()
	first := p.Carrier.Got()[0]
	require.Equal(t, 200, postReceipt(p, first, first.StatusURL, "r1", channel.Failed))
	require.Empty(t, code(c.retry(id, "again")))
	h.send = func(context.Context, channel.Account, channel.Outgoing) channel.Result {
		require.Equal(t, 200, postReceipt(p, first, first.StatusURL, "r2", channel.Delivered))
		return channel.Result{Outcome: channel.Throttled}
	}
	c.drain()
	require.Equal(t, []string{"DELIVERED", "FAILED", "QUEUED"}, c.attempts(id))
	require.Equal(t, "DELIVERED", c.status(id))
	h.send = nil
	c.drain()
	require.Equal(t, "DELIVERED", c.status(id))
}

func TestALateDeliveredBeatsFailed(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #undelivered=2004")
	c.becomes(id, "FAILED")
	require.Equal(t, "2004", c.message(id).Get("error", "code").String())
	m := p.Carrier.Got()[0]
	require.Equal(t, 200, postReceipt(p, m, m.StatusURL, "late", channel.Delivered))
	require.Equal(t, "DELIVERED", c.status(id))
	require.True(t, c.message(id).Get("error").IsNull())
}

func TestAnotherAccountsAttemptKeyMatchesNothing(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #silent")
	c.drain()
	m := p.Carrier.Got()[0]
	key := m.StatusURL[strings.Index(m.StatusURL, "?"):]
	other := secondAccount(c)
	m.Secret = "other-secret"
	require.Equal(t, 200, postReceipt(p, m, p.PublicURL()+"/webhooks/sandbox/"+other+key, "r", channel.Failed))
	require.Equal(t, "SENT", c.status(id))
	require.Equal(t, 1, count(t, p, "raw_inbounds", entsql.EQ("state", "PENDING")), "kept, in case it is known later")
}

func TestAKeyOfAnotherMessageDoesNotMatchAgainstTheProvidersID(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	first, second := c.send("one #silent"), c.send("two #silent")
	c.drain()
	got := p.Carrier.Got()
	require.Equal(t, 200, postReceipt(p, got[1], got[0].StatusURL, "r", channel.Delivered))
	require.Equal(t, "SENT", c.status(first))
	require.Equal(t, "DELIVERED", c.status(second), "the provider's id decides")
}

// Two processes that commit a receipt and the answer to its send at the same
// moment do not see each other; the sweep brings them together.
func TestAReceiptThatMissedItsMessageIsSwept(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #silent")
	c.drain()
	m := p.Carrier.Got()[0]
	require.Equal(t, 200, postReceipt(p, m, keyless(m.StatusURL), "r", channel.Delivered))
	require.Equal(t, "DELIVERED", c.status(id))
	c.asIfMissed(id)
	require.Equal(t, "SENT", c.status(id))
	n, err := p.Messenger.SweepReceipts(context.Background())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "DELIVERED", c.status(id))
	n, err = p.Messenger.SweepReceipts(context.Background())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestTheSandboxsEarlyReceiptIsNotLost(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #early #double #reorder")
	c.becomes(id, "DELIVERED")
	require.Equal(t, []string{"SENDING", "DELIVERED"}, c.statuses(id))
	query, err := url.ParseQuery(strings.SplitN(p.Carrier.Got()[0].StatusURL, "?", 2)[1])
	require.NoError(t, err)
	require.NotEmpty(t, query.Get("attempt"))
}
