package message_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
)

var busy = channel.Result{Outcome: channel.Throttled, Code: channel.ChannelCannotSend}

// A carrier that is busy when it is asked a second time says nothing of the first.
func TestARepeatedSendIsPutOffUnderItsOwnKey(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	h := hooked(p)
	c := begin(p, customer, parleytest.Sales)
	first, second := c.send("one #silent"), c.send("two #silent")
	c.die(h, func(ctx context.Context, a channel.Account, m channel.Outgoing) { h.adapter.Send(ctx, a, m) })
	p.Clock.Advance(7 * time.Second)
	h.send = func(context.Context, channel.Account, channel.Outgoing) channel.Result { return busy }
	require.Equal(t, time.Second, c.step())
	require.Equal(t, []string{"SENDING"}, c.attempts(first))
	h.send = nil
	p.Clock.Advance(time.Second)
	require.Zero(t, c.step())
	require.Equal(t, []string{"SENT"}, c.attempts(first), "one attempt")
	require.Equal(t, "SENT", c.status(second))
	require.Equal(t, []string{"one #silent", "two #silent"}, c.texts(), "once each")
}

func TestARepeatedSendIsUnknownInTheEnd(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	h := hooked(p)
	c := begin(p, customer, parleytest.Sales)
	first := c.send("one #silent")
	c.die(h, func(context.Context, channel.Account, channel.Outgoing) {})
	second := c.send("two #silent")
	p.Clock.Advance(7 * time.Second)
	calls := 0
	h.send = func(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
		if m.Content != channel.Text("one #silent") {
			return h.adapter.Send(ctx, a, m)
		}
		calls++
		return channel.Result{Outcome: channel.Unreachable, Code: channel.ServiceUnreachable}
	}
	var waits []time.Duration
	for wait := c.step(); wait > 0; wait = c.step() {
		waits = append(waits, wait/time.Second)
		p.Clock.Advance(wait)
	}
	require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 64}, waits)
	require.Equal(t, 8, calls)
	require.Equal(t, []string{"UNKNOWN"}, c.attempts(first))
	require.True(t, c.message(first).Get("error").IsNull())
	require.Equal(t, "SENT", c.status(second), "the lane goes on")
}

// Two workers call under the same key, since the first lost its lease: its
// refusal comes while the second's call is under way, which is taken.
func TestALostLeaseRefusesNothingThatAnotherSends(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]channel.Result{
		"throttled": busy,
		"rejected":  {Outcome: channel.Rejected, Code: channel.BadDestination},
		"unknown":   {Outcome: channel.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			h := hooked(p)
			c := begin(p, customer, parleytest.Sales)
			id := c.send("one #silent")
			calling, settled, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			again := func(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
				close(calling)
				<-settled
				return h.adapter.Send(ctx, a, m)
			}
			h.send = func(context.Context, channel.Account, channel.Outgoing) channel.Result {
				h.send = again
				p.Clock.Advance(7 * time.Second)
				go func() {
					_, err := p.Messenger.Drain(t.Context(), c.key)
					done <- err
				}()
				<-calling
				return refusal
			}
			c.drain()
			require.Equal(t, "SENDING", c.status(id))
			h.send = nil
			close(settled)
			require.NoError(t, <-done)
			c.drain()
			require.Equal(t, []string{"SENT"}, c.attempts(id))
			require.Len(t, p.Carrier.Got(), 1)
			require.Zero(t, count(t, p, "lanes", nil))
		})
	}
}
