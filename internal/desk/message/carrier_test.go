package message_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	entchannel "parley/ent/channel"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// step drains once and returns how long the lane wants to rest.
func (c *thread) step() time.Duration {
	c.p.T.Helper()
	again, err := c.p.Messenger.Drain(context.Background(), c.key)
	require.NoError(c.p.T, err)
	return again
}

func (c *thread) texts() (out []string) {
	for _, m := range c.p.Carrier.Got() {
		out = append(out, m.Text)
	}
	return out
}

func TestAThrottledMessageGoesOutLaterInItsPlace(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	first, second := c.send("one #throttle #silent"), c.send("two #silent")
	require.Equal(t, time.Second, c.step(), "as long as the carrier asked")
	require.Empty(t, c.texts())
	require.Equal(t, "QUEUED", c.status(first))
	require.Equal(t, time.Second, c.step(), "the lane rests")
	p.Clock.Advance(400 * time.Millisecond)
	require.Equal(t, 600*time.Millisecond, c.step())
	require.Empty(t, c.texts())
	p.Carrier.Script(func(sandbox.Message) sandbox.Plan { return sandbox.Plan{Silent: true} })
	p.Clock.Advance(600 * time.Millisecond)
	require.Zero(t, c.step())
	require.Equal(t, []string{"one #throttle #silent", "two #silent"}, c.texts())
	require.Equal(t, []string{"FAILED", "SENT"}, c.attempts(first), "a new attempt")
	require.Equal(t, []string{"SENDING", "QUEUED", "SENDING", "SENT"}, c.statuses(first))
	require.Equal(t, "SENT", c.status(second))
}

func TestAMessageFailsAfterEightTimesOutOfReach(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	first, second := c.send("one #down"), c.send("two #silent")
	var waits []time.Duration
	for wait := c.step(); wait > 0; wait = c.step() {
		waits = append(waits, wait/time.Second)
		require.Equal(t, "QUEUED", c.status(first))
		p.Clock.Advance(wait)
	}
	require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 64}, waits)
	require.Len(t, c.attempts(first), 8)
	require.Equal(t, "FAILED", c.status(first))
	require.Equal(t, "0001", c.message(first).Get("error", "code").String())
	require.Equal(t, "SENT", c.status(second), "the lane goes on")
	require.NotContains(t, c.statuses(first)[:14], "FAILED", "being put off is no failure to those who watch")
}

func TestATimeOutLeavesAVisibleUnknown(t *testing.T) {
	t.Parallel()
	for directive, end := range map[string]string{"timeout": "DELIVERED", "timeout-lost": "UNKNOWN"} {
		t.Run(directive, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			p.Messenger.CallTimeout = 50 * time.Millisecond
			c := begin(p, customer, parleytest.Sales)
			id, next := c.send("one #late=150ms #"+directive), c.send("two #silent")
			c.drain()
			require.Contains(t, c.statuses(id), "UNKNOWN")
			require.Equal(t, "SENT", c.status(next), "the lane goes on")
			c.becomes(id, end)
			require.Len(t, c.attempts(id), 1, "never sent again by itself")
			if end == "UNKNOWN" {
				require.True(t, c.message(id).Get("error").IsNull())
				require.Empty(t, code(c.retry(id, "again")))
			} else {
				require.Equal(t, "CONFLICT", code(c.retry(id, "again")))
			}
		})
	}
}

func TestARejectionHasTheDomainsCodeAndAnExplanation(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	for _, code := range []channel.ErrorCode{"0003", "1003", "2001", "2002", "2004", "3003", "3004"} {
		id := c.send("no #reject=" + string(code))
		c.drain()
		m := c.message(id)
		require.Equal(t, "FAILED", m.Get("status").String())
		require.Equal(t, string(code), m.Get("error", "code").String())
		require.Equal(t, code.Explain(), m.Get("error", "message").String())
		require.Equal(t, string(code), m.Get("attempts", 0, "error", "code").String())
	}
	require.Empty(t, p.Carrier.Got())
}

// switchChannel turns the sender ID on or off.
func (c *thread) switchChannel(on bool) {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Directory.Change(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).SetActive(on).Exec(ctx)
	}))
}

func TestWhatMayNotBeSentAnyMoreFailsInTheQueue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code    string
		off, on func(*thread)
	}{
		"the channel is switched off": {"0005", func(c *thread) { c.switchChannel(false) }, func(c *thread) { c.switchChannel(true) }},
		"the customer opts out": {
			"2002", func(c *thread) { c.consent(channel.OptOut) }, func(c *thread) { c.consent(channel.ExplicitOptIn) },
		},
		"the account is switched off": {
			"0005", func(c *thread) { c.switchAccount(false) }, func(c *thread) { c.switchAccount(true) },
		},
		"an earlier version took a short code for a number": {
			"2001", func(c *thread) { c.readdress("+4460777") }, func(c *thread) { c.readdress(customer) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			c := begin(p, customer, parleytest.Sales)
			id := c.send("one #silent")
			test.off(c)
			c.drain()
			require.Empty(t, p.Carrier.Got())
			require.Equal(t, "FAILED", c.status(id))
			require.Equal(t, test.code, c.message(id).Get("error", "code").String())
			require.Equal(t, "SEND_REFUSED", code(c.retry(id, "again")))
			test.on(c)
			require.Empty(t, code(c.retry(id, "again")))
			c.drain()
			require.Equal(t, []string{"FAILED", "SENT"}, c.attempts(id))
		})
	}
}

func (c *thread) switchAccount(on bool) {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Directory.Change(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().SetActive(on).Exec(ctx)
	}))
}

func (c *thread) readdress(to string) {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Store.Write(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		row, err := c.p.Conversations.Load(ctx, tx, c.key)
		if err != nil {
			return err
		}
		return c.p.Conversations.Readdress(ctx, tx, row, to, "")
	}))
}

func TestOnlyFailedAndUnknownMessagesCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	id := c.send("one #reject=2001")
	require.Equal(t, "CONFLICT", code(c.retry(id, "a")), "QUEUED")
	c.drain()
	require.Equal(t, "QUEUED", c.retry(id, "b").Get("message", "status").String())
	require.Equal(t, "QUEUED", c.retry(id, "b").Get("message", "status").String(), "the same request again")
	require.Equal(t, "CONFLICT", code(c.retry(id, "c")), "QUEUED again")
	require.Equal(t, []string{"FAILED", "QUEUED"}, c.attempts(id))
	require.Equal(t, 2, c.message(id).Get("attempts", 1, "number").Int())

	sent := c.send("two #silent")
	c.drain()
	require.Equal(t, "CONFLICT", code(c.retry(sent, "d")), "SENT")
	hello := c.Do(`query($id: ID!) { conversation(id: $id) { messages(first: 1) { nodes { id } } } }`, parleytest.Vars{"id": c.id}).
		Get("conversation", "messages", "nodes", 0, "id").String()
	require.Equal(t, "CONFLICT", code(c.retry(hello, "e")), "an inbound")
}

func TestAHiddenMessageCannotBeTriedAgainAndIsNotThere(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Direct) // amy's alone
	id := c.send("one #reject=2001")
	c.drain()
	bo := &thread{Client: p.As("bo"), p: p, id: c.id, key: c.key}
	hidden := bo.retry(id, "a")
	require.Equal(t, "NOT_FOUND", code(hidden))
	require.Contains(t, hidden.Get("errors", 0, "message").String(), "No such message")
	absent := bo.retry(c.id, "a")
	require.Equal(t, hidden.Get("errors", 0, "message").String(), absent.Get("errors", 0, "message").String(), "no telling apart")
}
