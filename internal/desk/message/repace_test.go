package message_test

import (
	"context"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/message"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// repace does what the job of a changed limit does, and returns how many lanes it woke.
func (c *thread) repace() int {
	c.p.T.Helper()
	drains := entsql.EQ("kind", message.DrainLane{}.Kind())
	before := count(c.p.T, c.p, "river_job", drains)
	id := c.Do(`query($id: ID!) { conversation(id: $id) { channel { id } } }`, parleytest.Vars{"id": c.id}).Get("conversation", "channel", "id").String()
	key, ok := c.p.Conversations.IDs.Decode(publicid.Channel, id)
	require.True(c.p.T, ok)
	require.NoError(c.p.T, c.p.Messenger.Repace(context.Background(), message.RepaceChannel{ChannelID: key}))
	return count(c.p.T, c.p, "river_job", drains) - before
}

// behind puts the next free turn of every channel off.
func behind(p *parleytest.Parley, by time.Duration) {
	p.T.Helper()
	require.NoError(p.T, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("paces").Set("next_at", int64(p.Clock.Now().Add(by))))
		return err
	}))
}

func TestAHigherLimitFreesWhatWaits(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := threads(p, 0, 4)
	c[0].pace(1)
	c[0].send("one #silent")
	require.Zero(t, c[0].step())
	behind(p, 9*time.Minute)
	far := c[1].send("its turn is far #silent")
	require.Equal(t, 9*time.Minute, c[1].step())
	behind(p, 10*time.Minute+time.Second)
	none := c[2].send("it has no turn #silent")
	require.Equal(t, 10*time.Minute, c[2].step())

	c[0].pace(10)
	require.Equal(t, 2, c[0].repace())
	fresh := c[3].send("after the raise #silent")
	require.Zero(t, c[3].step())
	require.Equal(t, 100*time.Millisecond, c[1].step())
	require.Equal(t, 200*time.Millisecond, c[2].step())
	p.Clock.Advance(200 * time.Millisecond)
	require.Zero(t, c[1].step())
	require.Zero(t, c[2].step())
	require.Equal(t, []string{"SENT", "SENT", "SENT"}, []string{c[0].status(fresh), c[1].status(far), c[2].status(none)})
}

func TestALowerLimitSpreadsWhatWaits(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := threads(p, 0, 4)
	c[0].pace(100)
	for i, c := range c {
		c.send("hello #silent")
		require.Equal(t, time.Duration(i)*10*time.Millisecond, c.step())
	}
	c[0].pace(1)
	require.Equal(t, 3, c[0].repace())
	for i, c := range c[1:] {
		require.Equal(t, time.Duration(i)*time.Second, c.step())
	}
}

// Servers do the job: the clock of the test stands still, so nobody's turn would come.
func TestWithoutALimitEverythingLeaves(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	c := threads(p, 0, 3)
	c[0].pace(1)
	for _, c := range c {
		c.send("hello #silent")
	}
	p.Eventually(func() bool {
		return len(p.Carrier.Got()) == 1 && count(t, p, "lanes", entsql.EQ("token", 0)) == 2
	}, "two lanes rest")
	c[0].pace(0)
	p.Eventually(func() bool { return len(p.Carrier.Got()) == 3 }, "everything leaves")
	require.Zero(t, count(t, p, "paces", nil))
}

// A lane goes on resting as its carrier asked, and as other channels pace it.
func TestRepacingLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	busy := map[string]bool{"busy": true}
	hooked(p).send = func(_ context.Context, _ channel.Account, m channel.Outgoing) channel.Result {
		if busy[string(m.Content.(channel.Text))] {
			return channel.Result{Outcome: channel.Throttled, RetryAfter: time.Minute}
		}
		return channel.Result{Outcome: channel.Accepted, ProviderID: m.AttemptKey}
	}
	c := threads(p, 0, 2)
	c[0].pace(1)
	c[0].send("busy")
	require.Equal(t, time.Minute, c[0].step())
	c[1].send("waits")
	require.Equal(t, time.Second, c[1].step())

	other := begin(p, number(9), parleytest.Direct)
	other.pace(1)
	require.Zero(t, other.repace(), "no lane of this channel rests")
	require.Equal(t, time.Second, c[1].step())
	require.Equal(t, 1, c[0].repace())
	require.Zero(t, c[1].step())
	require.Equal(t, time.Minute, c[0].step())
	p.Clock.Advance(time.Minute)
	delete(busy, "busy")
	require.Zero(t, c[0].step())
}

// A process that has not heard of the change gives no turns by the limit that was.
func TestTurnsAreGivenByTheLimitThatHolds(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here := parleytest.OpenAt(t, database)
	c := threads(here, 0, 3)
	c[0].pace(1)
	there := parleytest.OpenAt(t, database)
	drain := func(c *thread) time.Duration {
		again, err := there.Messenger.Drain(t.Context(), c.key)
		require.NoError(t, err)
		return again.Round(time.Millisecond)
	}
	c[0].pace(2)
	for i, c := range c[:2] {
		c.send("hello #silent")
		require.InDelta(t, time.Duration(i)*500*time.Millisecond, drain(c), float64(100*time.Millisecond))
	}
	c[0].pace(0)
	c[2].send("hello #silent")
	require.Zero(t, drain(c[2]))
}

// Only another limit of messages a second than the one by which turns were given takes them
// back.
func TestOnlyAnotherPaceGivesNewTurns(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	jobs := func() int { return count(t, p, "river_job", entsql.EQ("kind", message.RepaceChannel{}.Kind())) }
	for i, perSecond := range []int{1, 2, 0} {
		c.pace(perSecond)
		require.Equal(t, i, jobs())
		c.pace(perSecond)
		require.Equal(t, i, jobs())
	}
}
