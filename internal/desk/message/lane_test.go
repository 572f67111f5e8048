package message_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func requireInSequence(t *testing.T, p *parleytest.Parley, conversations, messages int) {
	t.Helper()
	p.Eventually(func() bool { return len(p.Carrier.Got()) >= conversations*messages }, "everything leaves")
	byCustomer := map[string][]string{}
	for _, m := range p.Carrier.Got() {
		byCustomer[m.To] = append(byCustomer[m.To], m.Text)
	}
	for i := range conversations {
		var want []string
		for j := range messages {
			want = append(want, fmt.Sprintf("%d/%d", i, j))
		}
		require.Equal(t, want, byCustomer[number(i)], "the carrier got them in the order of their numbers, once each")
	}
}

func TestMessagesOfAConversationLeaveInSequence(t *testing.T) {
	t.Parallel()
	const conversations, messages = 10, 15
	p := parleytest.New(t).Run()
	threads := make([]*thread, conversations)
	for i := range threads {
		threads[i] = begin(p, number(i), parleytest.Sales)
	}
	var wg sync.WaitGroup
	for i, c := range threads {
		wg.Go(func() {
			for j := range messages {
				c.send(fmt.Sprintf("%d/%d", i, j))
			}
		})
	}
	wg.Wait()
	requireInSequence(t, p, conversations, messages)
}

func TestMessagesLeaveInSequenceFromTwoProcesses(t *testing.T) {
	t.Parallel()
	const conversations, messages = 5, 12
	database := parleytest.Database(t)
	first := parleytest.OpenAt(t, database)
	second := parleytest.OpenAt(t, database, func(c *app.Config) { c.Carrier = first.Carrier })
	first.Run()
	second.Run()
	var wg sync.WaitGroup
	for i := range conversations {
		c := begin(first, number(i), parleytest.Sales)
		other := &thread{Client: second.As("amy"), p: second, id: c.id, key: c.key}
		wg.Go(func() {
			for j := range messages {
				[]*thread{c, other}[j%2].send(fmt.Sprintf("%d/%d", i, j))
			}
		})
	}
	wg.Wait()
	requireInSequence(t, first, conversations, messages)
}

// die makes the worker die in the middle of a call, after whatever before does.
func (c *thread) die(h *hook, before func(ctx context.Context, a channel.Account, m channel.Outgoing)) {
	c.p.T.Helper()
	h.send = func(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
		before(ctx, a, m)
		panic("the worker dies")
	}
	require.Panics(c.p.T, func() { c.drain() })
	h.send = nil
}

// sweep wakes lost lanes and says how many there were.
func (c *thread) sweep() int {
	c.p.T.Helper()
	n, err := c.p.Messenger.SweepLanes(context.Background())
	require.NoError(c.p.T, err)
	return n
}

func TestAKeyedSendIsRepeatedUnderTheSameKeyAfterAWorkerDied(t *testing.T) {
	t.Parallel()
	for name, taken := range map[string]bool{"taken": true, "not taken": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			h := hooked(p)
			c := begin(p, customer, parleytest.Sales)
			first, second := c.send("one #silent"), c.send("two #silent")
			c.die(h, func(ctx context.Context, a channel.Account, m channel.Outgoing) {
				if taken {
					h.adapter.Send(ctx, a, m)
				}
			})
			require.Equal(t, "SENDING", c.status(first))
			c.drain()
			require.Equal(t, "SENDING", c.status(first), "the lease of the dead worker stands")
			require.Zero(t, c.sweep())
			p.Clock.Advance(7 * time.Second)
			require.Equal(t, 1, c.sweep())
			c.drain()
			require.Equal(t, []string{"SENT"}, c.attempts(first), "one attempt")
			require.Equal(t, "SENT", c.status(second))
			require.Len(t, p.Carrier.Got(), 2)
			require.Equal(t, "one #silent", p.Carrier.Got()[0].Text)
		})
	}
}

func TestAKeylessSendIsUnknownAfterAWorkerDiedAndNeverRepeated(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	h := hooked(p)
	h.keyless = true
	c := begin(p, customer, parleytest.Sales)
	first, second := c.send("one #silent"), c.send("two #silent")
	c.die(h, func(ctx context.Context, a channel.Account, m channel.Outgoing) { h.adapter.Send(ctx, a, m) })
	p.Clock.Advance(7 * time.Second)
	c.drain()
	require.Equal(t, "UNKNOWN", c.status(first))
	require.True(t, c.message(first).Get("error").IsNull())
	require.Equal(t, "SENT", c.status(second), "the lane goes on")
	require.Len(t, p.Carrier.Got(), 2)

	m := p.Carrier.Got()[0]
	require.Equal(t, 200, postReceipt(p, m, m.StatusURL, "r1", channel.Delivered))
	require.Equal(t, "DELIVERED", c.status(first), "a receipt settles it")
	require.True(t, c.message(first).Get("error").IsNull())
}

func TestALostLeaseKeepsTheAnswerOfTheCall(t *testing.T) {
	t.Parallel()
	answers := map[string]struct {
		result  channel.Result
		keyless bool
		want    []string // attempts
	}{
		"accepted, keyless":          {channel.Result{Outcome: channel.Accepted, ProviderID: "SB1"}, true, []string{"SENT"}},
		"rejected, keyless":          {channel.Result{Outcome: channel.Rejected, Code: channel.BadDestination}, true, []string{"FAILED"}},
		"throttled, keyless":         {channel.Result{Outcome: channel.Throttled, Code: channel.ChannelCannotSend}, true, []string{"FAILED"}}, // later messages may have left
		"unknown, keyless":           {channel.Result{Outcome: channel.Unknown}, true, []string{"UNKNOWN"}},
		"rejected, sent by another":  {channel.Result{Outcome: channel.Rejected, Code: channel.BadDestination}, false, []string{"SENT"}},
		"throttled, sent by another": {channel.Result{Outcome: channel.Throttled, Code: channel.ChannelCannotSend}, false, []string{"SENT"}},
	}
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			h := hooked(p)
			h.keyless = test.keyless
			c := begin(p, customer, parleytest.Sales)
			id := c.send("one #silent")
			h.send = func(context.Context, channel.Account, channel.Outgoing) channel.Result {
				// While this call is under way, another worker takes the lane.
				h.send = nil
				p.Clock.Advance(7 * time.Second)
				c.drain()
				return test.result
			}
			c.drain()
			c.drain() // what the answer put off
			require.Equal(t, test.want, c.attempts(id))
			require.Equal(t, test.want[len(test.want)-1], c.status(id))
			require.Zero(t, count(t, p, "lanes", nil))
		})
	}
}

// A lane that a crash left under a lease is not held for as long as the clock was
// set back since; one that a living worker holds is.
func TestALeaseThatReachesTooFarIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]int64{"held": 7, "resting": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			c := begin(p, customer, parleytest.Sales)
			c.send("one #silent")
			require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, tx.Builder().Insert("lanes").Columns("id", "token", "leased_until").
					Values(c.key, token, int64(tx.Now.Add(6*time.Second))))
				return err
			}))
			for _, back := range []time.Duration{0, 5 * time.Second} {
				p.Clock.Advance(-back)
				c.step()
				require.Empty(t, p.Carrier.Got(), "the lease is believed")
			}
			p.Clock.Advance(-6 * time.Hour)
			n, err := p.Messenger.SweepLanes(context.Background())
			require.NoError(t, err)
			require.Equal(t, 1, n)
			c.step()
			require.Len(t, p.Carrier.Got(), 1)
		})
	}
}
