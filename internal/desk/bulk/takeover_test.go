package bulk_test

import (
	"bufio"
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
)

func TestMain(m *testing.M) {
	victim.Work(workUntilKilled)
	os.Exit(m.Run())
}

// workUntilKilled serves as a process of its own, and says when it does.
func workUntilKilled(database string) error {
	a, err := app.Open(context.Background(), app.Config{Database: database, Addr: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	a.Bulk.Lease = time.Second
	_, _ = fmt.Println("ready") //nolint:forbidigo // it is what the test waits for
	return a.Run(context.Background())
}

// requireOnce wants every item decided, and an event for each that was changed:
// none twice, none lost.
func (b *bundle) requireOnce(op *bulk.Row) {
	b.T.Helper()
	op = b.now(op)
	require.Equal(b.T, bulk.Done, op.State)
	require.Equal(b.T, op.Total, op.Done)
	of := " FROM events WHERE idempotency_key = '" + op.IdempotencyKey + "'"
	require.EqualValues(b.T, op.Changed, b.number("SELECT COUNT(*)"+of))
	require.EqualValues(b.T, op.Changed, b.number("SELECT COUNT(DISTINCT conversation_id)"+of))
	counted := map[bulk.Outcome]int64{}
	for _, r := range b.results(op, nil) {
		counted[r.Outcome]++
	}
	require.Equal(b.T, op.Total, counted[bulk.Changed]+counted[bulk.Unchanged]+counted[bulk.Refused])
	require.Equal(b.T, op.Changed, counted[bulk.Changed])
	require.Equal(b.T, op.Refused(), counted[bulk.Refused])
}

// A worker that vanishes without a word keeps its hold until its lease has run
// out; then a sweep of any process wakes another.
func TestAWorkerThatVanishesIsReplaced(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := open(t, database), open(t, database)
	here.fill(12, parleytest.Sales)
	op := here.begun(here.Bulk.MarkRead(here.Context("amy"), reading(all(nil))))
	vanishes := here.Bulk.Hold(op)
	require.True(t, here.step(vanishes))
	require.EqualValues(t, 3, there.finish(op).Done, "it is held")
	for _, lease := range []time.Duration{14 * time.Second, 2 * time.Second} {
		here.pass(lease)
		there.pass(lease)
		woken, err := there.Bulk.Sweep(there.System())
		require.NoError(t, err)
		require.Equal(t, lease < 14*time.Second, woken == 1)
	}
	there.Run()
	there.Eventually(func() bool { return there.now(op).Ended() }, "another goes on")
	require.False(t, here.step(vanishes), "who comes back finds it gone")
	there.requireOnce(op)
}

// A hold of a worker that vanished is not believed for as long as the clock was set
// back since.
func TestAHoldThatReachesTooFarIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := open(t, parleytest.Database(t))
	b.fill(12, parleytest.Sales)
	op := b.begun(b.Bulk.MarkRead(b.Context("amy"), reading(all(nil))))
	require.True(t, b.step(b.Bulk.Hold(op)))
	b.pass(-10 * time.Second)
	woken, err := b.Bulk.Sweep(b.System())
	require.NoError(t, err)
	require.Zero(t, woken, "the clocks of processes may differ as much")
	b.pass(-6 * time.Hour)
	woken, err = b.Bulk.Sweep(b.System())
	require.NoError(t, err)
	require.Equal(t, 1, woken)
	b.Run()
	b.Eventually(func() bool { return b.now(op).Ended() }, "another goes on")
	b.requireOnce(op)
}

// Many workers of two processes at one operation, while people work at the same
// conversations.
func TestWorkersAndPeopleAtOnce(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := open(t, database), open(t, database)
	here.fill(40, parleytest.Sales)
	ids := here.ids("amy")
	op := here.begun(here.Bulk.MarkRead(here.Context("amy"), reading(&bulk.Selection{IDs: ids})))
	var working sync.WaitGroup
	for i, b := range []*bundle{here, there} {
		rng := mathrand.New(mathrand.NewPCG(uint64(i), 7))
		for range 3 {
			working.Go(func() {
				for done := false; !done; {
					if _, err := b.Bulk.Run(b.System(), op.Key); err != nil {
						b.T.Errorf("work: %v", err)
						return
					}
					done = b.now(op).Ended()
				}
			})
		}
		working.Go(func() {
			for range 60 {
				some := []string{ids[rng.IntN(len(ids))], ids[rng.IntN(len(ids))]}
				if _, err := b.Conversations.MarkUnread(b.Context("bo"), some, false); err != nil {
					b.T.Errorf("people: %v", err)
				}
			}
		})
	}
	working.Wait()
	here.requireOnce(op)
	list, err := here.Conversations.List(here.Context("ada"), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 1}, conversation.Selected{})
	require.NoError(t, err)
	counts, _, err := here.Conversations.Count(here.Context("ada"), list.Scope)
	require.NoError(t, err)
	require.EqualValues(t, here.number("SELECT COUNT(*) FROM conversations WHERE is_unread"), counts.Unread, "the standing counts are true")
}

// A process is killed with kill -9 in the midst of an operation; the next one
// goes on where it was.
func TestAKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b := &bundle{parleytest.OpenAt(t, database, func(c *app.Config) { c.Clock = clock.Real{} })}
	b.Bulk.BatchSize, b.Bulk.Lease = 1, time.Second
	b.fill(100, parleytest.Sales)
	process := victim.Command(t.Context(), t, database)
	said, err := process.StdoutPipe()
	require.NoError(t, err)
	process.Stderr = os.Stderr
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	ready, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", ready)

	op := b.begun(b.Bulk.MarkRead(b.Context("amy"), reading(all(nil))))
	b.Eventually(func() bool { return b.now(op).Done > 3 }, "it is at work")
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	killed := b.now(op)
	require.Equal(t, bulk.Running, killed.State)
	require.Less(t, killed.Done, killed.Total, "it was killed in the midst of it")
	b.Run()
	// Who is to sweep is settled anew some 15 s after the one who did was killed.
	require.Eventually(t, func() bool { return b.now(op).Ended() }, time.Minute, 20*time.Millisecond, "the next process goes on")
	b.requireOnce(op)
}
