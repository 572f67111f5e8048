package message_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/agent"
	entchannel "parley/ent/channel"
	entrecord "parley/ent/record"
	"parley/internal/check/parleytest"
)

// Whoever sends sees what became of it, also when the send itself gave the
// conversation to the sender ID's owner and took it out of the sender's sight.
func TestASendIsAnsweredThoughItTakesTheConversationAway(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	c.send("mine now")
	c.write(func(ctx context.Context, tx *ent.Client) error {
		amy, err := tx.Agent.Query().Where(agent.Username("amy")).OnlyID(ctx)
		if err != nil {
			return err
		}
		return tx.Channel.Update().Where(entchannel.Address(parleytest.Sales)).RemoveMemberIDs(amy).Exec(ctx)
	})
	require.NoError(t, p.Directory.Refresh(context.Background()))
	payload := c.ask("to the sole owner", "k")
	require.Empty(t, code(payload), "it was queued")
	require.Equal(t, "QUEUED", payload.Get("message", "status").String())
	require.Equal(t, 2, count(t, p, "attempts", nil))
	require.Equal(t, "NOT_FOUND", code(c.ask("to the sole owner", "k")), "it may no longer be seen")
	require.Equal(t, 2, count(t, p, "attempts", nil))
}

// A customer who opts out in the CRM while a message waits gets nothing.
func TestAMessageInTheQueueStopsForARecordThatOptsOut(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	c.anchor()
	id := c.send("one #silent")
	c.write(func(ctx context.Context, tx *ent.Client) error {
		return tx.Record.Update().Where(entrecord.ExternalID("1")).SetOptedOut(true).Exec(ctx)
	})
	c.drain()
	require.Equal(t, "FAILED", c.status(id))
	require.Empty(t, c.texts())
}
