package message_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/message"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// pace sets the channel's limit of messages a second; 0 for none.
func (c *thread) pace(perSecond int) {
	c.p.T.Helper()
	id := c.Do(`query($id: ID!) { conversation(id: $id) { channel { id } } }`, parleytest.Vars{"id": c.id}).Get("conversation", "channel", "id").String()
	c.p.As("ada").Do(`mutation($in: UpdateChannelInput!) { updateChannel(input: $in) { channel { id } } }`,
		parleytest.Vars{"in": parleytest.Vars{"id": id, "limits": parleytest.Vars{"messagesPerSecond": perSecond}}}).Get("updateChannel", "channel", "id")
}

// threads are conversations of the sender ID with n customers, the first given by its
// number.
func threads(p *parleytest.Parley, first, n int) (all []*thread) {
	for i := range n {
		all = append(all, begin(p, number(first+i), parleytest.Sales))
	}
	return all
}

// called is a call of the carrier.
type called struct {
	at   clock.Time
	text string
}

// However sends, drains and pauses mix, no second sees more than the limit and what was late,
// and everything leaves, each conversation's in order.
func TestAChannelSendsNoFasterThanItsLimit(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	var calls []called
	hooked(p).send = func(_ context.Context, _ channel.Account, m channel.Outgoing) channel.Result {
		calls = append(calls, called{p.Clock.Now(), string(m.Content.(channel.Text))})
		return channel.Result{Outcome: channel.Accepted, ProviderID: m.AttemptKey}
	}
	customers, program := 0, newProgram(p)
	rapid.Check(t, func(r *rapid.T) {
		p.Clock.Advance(time.Hour) // past the turns of the trial before
		calls = nil
		c := threads(p, customers, 3)
		customers += len(c)
		perSecond := rapid.IntRange(1, 4).Draw(r, "per second")
		c[0].pace(perSecond)
		sent := make([]int, len(c))
		r.Repeat(map[string]func(*rapid.T){
			"send": func(r *rapid.T) {
				i := rapid.IntRange(0, len(c)-1).Draw(r, "conversation")
				from := c[i]
				if rapid.Bool().Draw(r, "by a program") {
					from = from.by(program)
				}
				from.send(fmt.Sprintf("%d/%d", i, sent[i]))
				sent[i]++
			},
			"drain": func(r *rapid.T) { c[rapid.IntRange(0, len(c)-1).Draw(r, "conversation")].drain() },
			"wait": func(r *rapid.T) {
				p.Clock.Advance(time.Duration(rapid.IntRange(1, 3000).Draw(r, "ms")) * time.Millisecond)
			},
		})
		total := sent[0] + sent[1] + sent[2]
		for range 8 * (total + 1) { // a quarter of a second each
			p.Clock.Advance(250 * time.Millisecond)
			for _, c := range c {
				c.drain()
			}
		}
		requireOrder(r, calls, total)
		requirePace(r, calls, perSecond)
	})
}

// requireOrder wants every text once, those of each conversation in order.
func requireOrder(r *rapid.T, calls []called, total int) {
	require.Len(r, calls, total)
	next := map[string]int{}
	for _, call := range calls {
		conversation, _, _ := strings.Cut(call.text, "/")
		require.Equal(r, fmt.Sprintf("%s/%d", conversation, next[conversation]), call.text)
		next[conversation]++
	}
}

// requirePace wants no stretch of time to see more than its limit and a second's more.
func requirePace(r *rapid.T, calls []called, perSecond int) {
	for i := range calls {
		for j := i; j < len(calls); j++ {
			most := calls[j].at.Sub(calls[i].at).Seconds()*float64(perSecond) + float64(perSecond) + 1
			require.LessOrEqual(r, float64(j-i+1), most+0.001, "from %s to %s", calls[i].at, calls[j].at)
		}
	}
}

func TestTurnsAreTakenOnce(t *testing.T) {
	t.Parallel()
	var asked int
	p := parleytest.New(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, s string) func(error) {
			if strings.Contains(s, "INSERT INTO paces") {
				asked++
			}
			return nil
		}
	})
	c := threads(p, 0, 2)
	first := c[0].send("one #silent")
	require.Zero(t, c[0].step())
	require.Zero(t, asked, "the default of the type sets no pace")
	require.Equal(t, "SENT", c[0].status(first))

	c[0].pace(1)
	second, third := c[0].send("two #silent"), c[1].send("three #silent")
	require.Zero(t, c[0].step())
	require.Equal(t, time.Second, c[1].step())
	require.Equal(t, time.Second, c[1].step(), "the lane rests")
	require.Equal(t, "QUEUED", c[1].status(third))
	p.Clock.Advance(time.Second)
	require.Zero(t, c[1].step())
	require.Equal(t, []string{"SENT", "SENT"}, []string{c[0].status(second), c[1].status(third)})
	require.Equal(t, 2, asked, "a turn for each")

	c[0].send("four #silent")
	fifth := c[1].send("five #silent")
	c[0].step()
	c[1].step()
	c[0].pace(0)
	p.Clock.Advance(2 * time.Second)
	c[1].send("six #silent")
	require.Zero(t, c[1].step(), "without a limit everything leaves")
	require.Equal(t, "SENT", c[1].status(fifth))
	require.Equal(t, 4, asked)
}

// The turns of two processes are one queue.
func TestProcessesShareThePace(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here := parleytest.OpenAt(t, database)
	c := threads(here, 0, 4)
	c[0].pace(1)
	there := parleytest.OpenAt(t, database)
	for i, c := range c {
		c.send("hello #silent")
		process := []*parleytest.Parley{here, there}[i%2]
		again, err := process.Messenger.Drain(t.Context(), c.key)
		require.NoError(t, err)
		require.Equal(t, time.Duration(i)*time.Second, again.Round(time.Second))
	}
}

// Turns are given for ten minutes ahead; what finds none asks again.
func TestNoTurnIsFarAhead(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := threads(p, 0, 2)
	c[0].pace(1)
	metrics := message.NewMetrics(p.Store)
	ahead := func() float64 { return gauge(t, metrics, "parley_lane_pace_seconds") }
	require.Zero(t, ahead())
	nextAt := func(at clock.Time) {
		require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, tx.Builder().Update("paces").Set("next_at", int64(at)))
			return err
		}))
	}
	c[0].send("one #silent")
	require.Zero(t, c[0].step())
	require.InDelta(t, 1, ahead(), 0.001)

	now := p.Clock.Now()
	nextAt(now.Add(10*time.Minute + time.Second))
	waits := c[1].send("two #silent")
	require.Equal(t, 10*time.Minute, c[1].step())
	require.InDelta(t, 600, ahead(), 0.001)
	require.Zero(t, count(t, p, "attempts", entsql.GT("turn_at", 0)), "it has no turn yet")
	require.Zero(t, c[1].sweep(), "nobody took its lane from it")
	p.Clock.Advance(10 * time.Minute)
	require.Equal(t, time.Second, c[1].step())
	require.Equal(t, "QUEUED", c[1].status(waits))

	// The clock is set back: what was promised lies too far ahead to be believed.
	p.Clock.Advance(-24 * time.Hour)
	require.Zero(t, c[1].step())
	require.Equal(t, "SENT", c[1].status(waits))
}

// gauge is the value of a metric without labels.
func gauge(t *testing.T, c prometheus.Collector, name string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(c))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.Fail(t, "no such metric", name)
	return 0
}
