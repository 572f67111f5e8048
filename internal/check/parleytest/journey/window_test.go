package journey_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Whoever looks at a conversation is told when its care window closes, and finds
// that nothing can be sent.
func TestAClosingCareWindowIsToldLive(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	const number = "+12025550210"
	require.NoError(t, p.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		account, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Provider("sandbox")).First(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.Channel.Create().SetAccount(account).SetType(channel.WhatsApp).SetName("WhatsApp").
			SetAddress(number).SetCreatedAt(tx.Now).Exec(ctx)
	}))
	p.Run()
	ada := p.As("ada")
	all := ada.Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind cause
		conversation { id sendability { canSend repliesUntil refusals { code } } } } }`, nil)
	require.Equal(t, "OPEN", all.Next().Get("conversationsChanged", "kind").String())
	p.Say(customer, number, "Hello")
	entered := all.Next().Get("conversationsChanged")
	require.Equal(t, "ENTER", entered.Get("kind").String())
	sendability := entered.Get("conversation", "sendability")
	require.True(t, sendability.Get("canSend").Bool())
	require.Equal(t, clock.Of(parleytest.Start.Add(24*time.Hour)).String(), sendability.Get("repliesUntil").String())

	p.Clock.Advance(24*time.Hour + time.Second)
	closed := all.Next().Get("conversationsChanged")
	require.Equal(t, "UPDATE", closed.Get("kind").String())
	require.Equal(t, "CONVERSATION_CHANGED", closed.Get("cause").String())
	sendability = closed.Get("conversation", "sendability")
	require.False(t, sendability.Get("canSend").Bool())
	require.Equal(t, "CARE_WINDOW_CLOSED", sendability.Get("refusals", 0, "code").String())
}
