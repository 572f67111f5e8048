package live_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/live"
	"parley/internal/desk/presence"
	"parley/internal/ground/fault"
)

// room streams who else is in a conversation.
func (b *bundle) room(username, id string, announce bool) *tap[*live.Presence] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.Presence, error) {
		return b.Schema.Live.Presence(ctx, id, announce, end)
	})
}

// requireThere reads frames until one shows these agents, by username.
func requireThere(t *testing.T, s *tap[*live.Presence], want map[string]presence.State) {
	t.Helper()
	for {
		got := map[string]presence.State{}
		for _, a := range s.next().Agents {
			got[a.Agent.Username] = a.State
		}
		if len(got) == len(want) {
			require.Equal(t, want, got)
			return
		}
	}
}

type there = map[string]presence.State

func TestAgentsInAConversationSeeEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	id := b.conversation(parleytest.Sales)
	amy := b.room("amy", id, true)
	requireThere(t, amy, there{})
	ada := b.room("ada", id, false)
	requireThere(t, ada, there{"amy": presence.Viewing})
	bo := b.room("bo", id, true)
	requireThere(t, bo, there{"amy": presence.Viewing})
	requireThere(t, amy, there{"bo": presence.Viewing})
	require.NoError(t, b.Schema.Live.SetTyping(b.Context("bo"), live.TypingInput{ConversationID: id, IsTyping: true}))
	requireThere(t, amy, there{"bo": presence.Typing})
	require.NoError(t, b.Schema.Live.SetTyping(b.Context("bo"), live.TypingInput{ConversationID: id}))
	requireThere(t, amy, there{"bo": presence.Viewing})
	bo.leave()
	requireThere(t, amy, there{})
}

func TestPresenceIsForThoseWhoSeeTheConversation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Direct, "Hello")
	id := b.conversation(parleytest.Direct)
	_, err := b.Schema.Live.Presence(b.Context("bo"), id, true, nil)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Equal(t, fault.NotFound, fault.CodeOf(b.Schema.Live.SetTyping(b.Context("bo"), live.TypingInput{ConversationID: id, IsTyping: true})))

	b.assign(id, "bo")
	bo, amy := b.room("bo", id, true), b.room("amy", id, true)
	requireThere(t, amy, there{"bo": presence.Viewing})
	b.assign(id, "amy")
	bo.requireEnd(fault.NotFound)
	requireThere(t, amy, there{})
	b.switchOff("amy")
	amy.requireEnd(fault.Unauthenticated)
}
