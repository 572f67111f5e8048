package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
)

// The agents of these tests.
const (
	amy int64 = iota + 1
	bo
	sue
)

// mind is what the moves decide: the owner and the read state.
type mind struct {
	owner         int64
	assigned      bool
	unread        bool
	inbound, read int64
}

func (m mind) row() *conversation.Row {
	return &conversation.Row{OwnerID: m.owner, Assigned: m.assigned, IsUnread: m.unread, InboundCount: m.inbound, ReadCount: m.read}
}

func mindOf(r *conversation.Row) mind {
	return mind{r.OwnerID, r.Assigned, r.IsUnread, r.InboundCount, r.ReadCount}
}

func receive(soleOwner int64) func(*conversation.Row) {
	return func(r *conversation.Row) { r.Receive(conversation.Message{Key: 9, At: 50, Preview: "Hi"}, soleOwner) }
}

func send(author, soleOwner int64, confirmed bool) func(*conversation.Row) {
	return func(r *conversation.Row) {
		r.Send(conversation.Message{Key: 9, At: 50, Preview: "Hi"}, author, soleOwner, r.InboundCount, confirmed)
	}
}

func read(upTo int64) func(*conversation.Row) {
	return func(r *conversation.Row) { r.MarkRead(upTo) }
}

func assign(agent int64) func(*conversation.Row) {
	return func(r *conversation.Row) { r.Assign(agent) }
}

func TestEveryMoveFollowsTheDomainsRule(t *testing.T) {
	t.Parallel()
	const automation = 0
	for _, c := range []struct {
		rule       string
		from, want mind
		move       func(*conversation.Row)
	}{
		{"an inbound makes unread and one more new", mind{owner: amy, inbound: 2, read: 2}, mind{owner: amy, unread: true, inbound: 3, read: 2}, receive(0)},
		{"an inbound on a shared sender ID belongs to nobody", mind{}, mind{unread: true, inbound: 1}, receive(0)},
		{"an inbound on a sole owner's sender ID is theirs", mind{}, mind{owner: amy, unread: true, inbound: 1}, receive(amy)},
		{"an inbound never moves an owner who is there", mind{owner: bo}, mind{owner: bo, unread: true, inbound: 1}, receive(amy)},

		{"a person's outbound makes them owner and clears unread", mind{unread: true, inbound: 2}, mind{owner: amy, inbound: 2, read: 2}, send(amy, 0, false)},
		{"whoever sent last on a shared sender ID owns it", mind{owner: amy, unread: true, inbound: 1}, mind{owner: bo, inbound: 1, read: 1}, send(bo, 0, false)},
		{"the sole owner owns it whoever sends", mind{unread: true, inbound: 1}, mind{owner: amy, unread: true, inbound: 1}, send(bo, amy, false)},
		{"the sole owner's outbound clears their unread", mind{owner: amy, unread: true, inbound: 1}, mind{owner: amy, inbound: 1, read: 1}, send(amy, amy, false)},
		{"assignment wins over sending", mind{owner: amy, assigned: true}, mind{owner: amy, assigned: true}, send(bo, 0, false)},
		{"assignment wins over the sole owner", mind{owner: bo, assigned: true}, mind{owner: bo, assigned: true}, send(amy, amy, false)},
		{"an outbound by somebody else leaves the owner's unread", mind{owner: amy, assigned: true, unread: true, inbound: 3, read: 1}, mind{owner: amy, assigned: true, unread: true, inbound: 3, read: 1}, send(bo, 0, false)},
		{"an outbound by somebody else clears it when confirmed", mind{owner: amy, assigned: true, unread: true, inbound: 3, read: 1}, mind{owner: amy, assigned: true, inbound: 3, read: 3}, send(bo, 0, true)},
		{"an automated outbound changes neither owner nor unread", mind{unread: true, inbound: 1}, mind{unread: true, inbound: 1}, send(automation, amy, false)},
		{"an automated outbound clears nothing even when confirmed", mind{owner: bo, unread: true, inbound: 1}, mind{owner: bo, unread: true, inbound: 1}, send(automation, 0, true)},

		{"read all", mind{owner: amy, unread: true, inbound: 3}, mind{owner: amy, inbound: 3, read: 3}, read(3)},
		{"what came after the screen stays new and unread", mind{owner: amy, unread: true, inbound: 3}, mind{owner: amy, unread: true, inbound: 3, read: 2}, read(2)},
		{"a late read takes nothing back", mind{owner: amy, unread: true, inbound: 3, read: 2}, mind{owner: amy, unread: true, inbound: 3, read: 2}, read(1)},
		{"a read cannot pass the last inbound", mind{owner: amy, unread: true, inbound: 3}, mind{owner: amy, inbound: 3, read: 3}, read(99)},
		{"reading what was marked unread clears it", mind{owner: amy, unread: true, inbound: 3, read: 3}, mind{owner: amy, inbound: 3, read: 3}, read(3)},
		{"marked unread keeps the new count", mind{owner: amy, inbound: 3, read: 3}, mind{owner: amy, unread: true, inbound: 3, read: 3}, (*conversation.Row).MarkUnread},

		{"assigning makes it unread for the new owner and keeps the new count", mind{owner: amy, inbound: 3, read: 2}, mind{owner: bo, assigned: true, unread: true, inbound: 3, read: 2}, assign(bo)},
		{"assigning to the owner holds them and leaves their read state", mind{owner: amy, inbound: 3, read: 3}, mind{owner: amy, assigned: true, inbound: 3, read: 3}, assign(amy)},
		{"assigning what is unread leaves it unread", mind{owner: amy, unread: true, inbound: 1}, mind{owner: amy, assigned: true, unread: true, inbound: 1}, assign(amy)},
		{"unassigning leaves it to nobody, unread, free for the next sender", mind{owner: amy, assigned: true, inbound: 1, read: 1}, mind{unread: true, inbound: 1, read: 1}, assign(0)},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			row := c.from.row()
			c.move(row)
			require.Equal(t, c.want, mindOf(row))
		})
	}
}

func TestTheReadStateBelongsToTheOwnerOrToAnybodyWhoSees(t *testing.T) {
	t.Parallel()
	require.True(t, (&conversation.Row{OwnerID: amy}).ReadBelongsTo(amy))
	require.False(t, (&conversation.Row{OwnerID: amy}).ReadBelongsTo(bo))
	require.True(t, (&conversation.Row{}).ReadBelongsTo(bo))
}

func TestAMessageIsShownEvenWhenTheClockSteppedBack(t *testing.T) {
	t.Parallel()
	row := &conversation.Row{LastMessageAt: 100, LastIncoming: 100, Preview: "old", LastMessageID: 1}
	row.Receive(conversation.Message{Key: 2, At: 60, Preview: "new"}, 0)
	require.Equal(t, clock.Time(100), row.LastMessageAt, "it does not sink in the list")
	require.Equal(t, clock.Time(100), row.LastIncoming, "the care window does not shrink")
	require.Equal(t, "new", row.Preview)
	require.Equal(t, int64(2), row.LastMessageID)
	require.Equal(t, content.Inbound, row.LastDirection)
}

func TestAnEditOfACopyLeavesTheOriginalsSendersAlone(t *testing.T) {
	t.Parallel()
	row := &conversation.Row{SentBy: append(make([]int64, 0, 8), amy)}
	before := *row
	row.Send(conversation.Message{}, bo, 0, row.InboundCount, false)
	row.Send(conversation.Message{}, bo, 0, row.InboundCount, false)
	require.Equal(t, []int64{amy}, before.SentBy)
	require.Equal(t, []int64{amy, bo}, row.SentBy, "each sender once, in order")
}

// Whatever happens to a conversation in whatever order, these hold.
func TestMovesKeepTheirInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := &conversation.Row{}
		agent := rapid.SampledFrom([]int64{0, amy, bo, sue})
		for range rapid.IntRange(1, 40).Draw(t, "moves") {
			before := *row
			m := conversation.Message{Key: row.NextSeq(), At: clock.Time(rapid.Int64Range(1, 100).Draw(t, "at")), Preview: "x"}
			switch rapid.IntRange(0, 4).Draw(t, "move") {
			case 0:
				row.Receive(m, agent.Draw(t, "sole owner"))
				require.Equal(t, before.InboundCount+1, row.InboundCount)
				require.True(t, before.OwnerID == 0 || row.OwnerID == before.OwnerID, "an inbound never moves an owner")
			case 1:
				row.Send(m, agent.Draw(t, "author"), agent.Draw(t, "sole owner"), rapid.Int64Range(0, row.InboundCount).Draw(t, "read"), rapid.Bool().Draw(t, "confirmed"))
				require.True(t, !before.Assigned || row.OwnerID == before.OwnerID, "assignment wins over sending")
				require.False(t, row.IsUnread && !before.IsUnread, "sending never makes unread")
			case 2:
				row.MarkRead(rapid.Int64Range(-1, 50).Draw(t, "up to"))
				require.GreaterOrEqual(t, row.ReadCount, before.ReadCount)
			case 3:
				row.MarkUnread()
				require.Equal(t, before.NewCount(), row.NewCount())
			case 4:
				row.Assign(agent.Draw(t, "to"))
				require.Equal(t, before.NewCount(), row.NewCount())
				require.True(t, row.IsUnread || row.OwnerID == before.OwnerID, "unread for a new owner")
			}
			require.LessOrEqual(t, row.ReadCount, row.InboundCount)
			require.True(t, row.IsUnread || row.NewCount() == 0, "what is read has nothing new")
			require.True(t, !row.Assigned || row.OwnerID != 0, "assigned to somebody")
			require.GreaterOrEqual(t, row.LastMessageAt, before.LastMessageAt)
			require.Equal(t, row.Facts().New(), int64(row.NewCount()))
		}
	})
}
