package message_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// lines are the texts of a conversation's system lines.
func (c *thread) lines() (out []string) {
	c.p.T.Helper()
	for _, m := range c.Do(`query($id: ID!) { conversation(id: $id) { messages(first: 50) { nodes { kind direction content { ... on EventContent { text } } } } } }`,
		parleytest.Vars{"id": c.id}).Get("conversation", "messages", "nodes").List() {
		if m.Get("kind").String() == "EVENT" {
			out = append(out, m.Get("content", "text").String())
		}
	}
	return out
}

func (c *thread) consentStatus() string {
	c.p.T.Helper()
	return c.Do(`query($id: ID!) { conversation(id: $id) { messagingUser { consentStatus } } }`, parleytest.Vars{"id": c.id}).
		Get("conversation", "messagingUser", "consentStatus").String()
}

// reportOptOut applies the receipt of a message that failed by an opt-out.
func (c *thread) reportOptOut(providerID string) {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Store.Write(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		matched, err := c.p.Messenger.ApplyReceipt(ctx, tx, c.p.Directory.Account("demo").ID, channel.Receipt{
			EventID: providerID, ProviderID: providerID, Status: channel.Failed, Code: channel.RecipientBlocked, OptedOut: true,
		})
		require.True(c.p.T, matched)
		return err
	}))
}

// A carrier that says the customer has opted out stops everything to them from
// that sender ID, and from no other.
func TestACarriersOptOutIsTaken(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"at once": false, "by receipt": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			h := hooked(p)
			c, other := begin(p, customer, parleytest.Sales), begin(p, customer, parleytest.Billing)
			h.send = func(context.Context, channel.Account, channel.Outgoing) channel.Result {
				if late {
					return channel.Result{Outcome: channel.Accepted, ProviderID: "SB1"}
				}
				return channel.Result{Outcome: channel.Rejected, Code: channel.RecipientBlocked, OptedOut: true}
			}
			id := c.send("one")
			c.drain()
			if late {
				c.reportOptOut("SB1")
				c.reportOptOut("SB1")
			}
			require.Equal(t, "FAILED", c.status(id))
			require.Equal(t, "OPT_OUT", c.consentStatus())
			require.Len(t, c.lines(), 1)
			require.Equal(t, "OPTED_OUT", c.ask("three", "k3").Get("refusals", 0, "code").String())
			require.Equal(t, "IMPLICIT_OPT_IN", other.consentStatus())
			require.NotEmpty(t, other.send("still fine"))
		})
	}
}
