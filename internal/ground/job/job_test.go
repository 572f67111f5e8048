package job_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/desk/message"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

func run(t testing.TB, p *parleytest.Parley, s store.SQL) {
	t.Helper()
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, s)
		return err
	}))
}

func number(t testing.TB, p *parleytest.Parley, s store.SQL) (n int) {
	t.Helper()
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), s, func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

const drains = store.SQL("SELECT COUNT(*) FROM river_job WHERE kind = 'drain_lane'")

func TestAJobIsThereWithItsWriteOrNotAtAll(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	enqueue := func(fails error) func(context.Context, *store.Tx) error {
		return func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(message.DrainLane{ConversationID: 1}, nil)
			if fails != nil {
				return fails
			}
			return feed.Record(tx, &feed.Event{Cause: feed.DirectoryChanged})
		}
	}
	require.Error(t, p.Store.Write(p.System(), enqueue(errors.New("no"))))
	require.Zero(t, number(t, p, drains))

	// The events come after the jobs in the tail: jobs that were added on another
	// connection than the transaction's would stay.
	run(t, p, "ALTER TABLE events RENAME TO hidden")
	require.Error(t, p.Store.Write(p.System(), enqueue(nil)))
	require.Zero(t, number(t, p, drains))
	run(t, p, "ALTER TABLE hidden RENAME TO events")
	require.NoError(t, p.Store.Write(p.System(), enqueue(nil)))
	require.Equal(t, 1, number(t, p, drains))
}

// Groups are counted by their tails, and calls by a trigger.
func TestTheJobsOfAGroupAreAddedInOneCall(t *testing.T) {
	t.Parallel()
	var groups atomic.Int32
	p := parleytest.New(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, s string) func(error) {
			if strings.Contains(s, "UPDATE") && strings.Contains(s, "log_heads") {
				groups.Add(1)
			}
			return nil
		}
	})
	each := "FOR EACH ROW BEGIN INSERT INTO calls VALUES (1); END"
	if parleytest.OnPostgres() {
		run(t, p, "CREATE FUNCTION note_call() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO calls VALUES (1); RETURN NULL; END'")
		each = "FOR EACH STATEMENT EXECUTE FUNCTION note_call()"
	}
	run(t, p, "CREATE TABLE calls (n INTEGER)")
	run(t, p, store.SQL("CREATE TRIGGER on_job AFTER INSERT ON river_job "+each))
	id := conversation(t, p)
	groups.Store(0)
	var wg sync.WaitGroup
	const sends = 100
	for range sends {
		wg.Go(func() { send(p, id, "Hello") })
	}
	wg.Wait()
	require.Equal(t, sends, number(t, p, drains))
	require.Less(t, int(groups.Load()), sends, "writes were grouped")
	calls := number(t, p, "SELECT COUNT(*) FROM calls")
	if !parleytest.OnPostgres() {
		require.Equal(t, sends, calls, "SQLite triggers count rows: each job once")
		return
	}
	require.Equal(t, int(groups.Load()), calls)
}

func conversation(t testing.TB, p *parleytest.Parley) string {
	t.Helper()
	p.Say("+12025550199", parleytest.Sales, "Hello")
	return p.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
}

func send(p *parleytest.Parley, conversation, text string) string {
	p.T.Helper()
	return p.As("amy").Do(`mutation($id: ID!, $text: String!, $key: String!) {
		sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $key}) { errors { code } message { id } } }`,
		parleytest.Vars{"id": conversation, "text": text, "key": rand.Text()}).Get("sendMessage", "message", "id").String()
}

func status(p *parleytest.Parley, id string) string {
	p.T.Helper()
	return p.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, parleytest.Vars{"id": id}).
		Get("node", "status").String()
}

func TestAJobThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	id := conversation(t, p)
	run(t, p, "ALTER TABLE lanes RENAME TO hidden")
	message := send(p, id, "Hello")
	p.Run()
	p.Eventually(func() bool {
		return number(t, p, "SELECT COUNT(*) FROM river_job WHERE kind = 'drain_lane' AND errors IS NOT NULL") == 1
	}, "the job fails")
	require.Equal(t, "QUEUED", status(p, message))
	run(t, p, "ALTER TABLE hidden RENAME TO lanes")
	p.Eventually(func() bool { return status(p, message) == "DELIVERED" }, "the message leaves")
	require.Len(t, p.Carrier.Got(), 1)
}

// slow is a provider that takes a message when it is let.
type slow struct {
	channel.Provider
	called chan struct{}
	let    chan struct{}
}

func (s *slow) Send(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
	s.called <- struct{}{}
	<-s.let
	return s.Provider.Send(ctx, a, m)
}

func TestAStopWaitsForTheCallUnderWayAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	id := conversation(t, p)
	s := &slow{p.Messenger.Providers["sandbox"], make(chan struct{}, 9), make(chan struct{})}
	p.Messenger.Providers["sandbox"] = s
	first, second := send(p, id, "one #silent"), send(p, id, "two #silent")
	runner, err := job.Start(t.Context(), p.Store, p.Jobs(), job.Options{News: p.Messenger.Waiting()})
	require.NoError(t, err)
	<-s.called
	var stopErr error
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stopErr = runner.Stop(context.Background())
	}()
	select {
	case <-stopped:
		require.Fail(t, "it did not wait for the call")
	case <-time.After(200 * time.Millisecond):
	}
	close(s.let)
	<-stopped
	require.NoError(t, stopErr)
	require.Len(t, p.Carrier.Got(), 1)
	require.Empty(t, s.called, "the second was not begun")

	next := parleytest.OpenAt(t, database)
	require.Equal(t, "SENT", status(next, first), "the answer was kept")
	require.Equal(t, "QUEUED", status(next, second))
	require.Zero(t, number(t, next, "SELECT COUNT(*) FROM lanes"), "the lane is free")
	next.Run()
	next.Eventually(func() bool { return status(next, second) == "SENT" }, "the next process goes on")
	require.Len(t, next.Carrier.Got(), 1)
}

// dying is a provider whose first call takes its worker with it.
type dying struct {
	channel.Provider
	died atomic.Bool
}

func (d *dying) Send(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
	result := d.Provider.Send(ctx, a, m)
	if d.died.CompareAndSwap(false, true) {
		panic("the worker dies")
	}
	return result
}

func TestALaneWhoseWorkerDiedIsSweptAndGoesOn(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	id := conversation(t, p)
	p.Messenger.Providers["sandbox"] = &dying{Provider: p.Messenger.Providers["sandbox"]}
	first, second := send(p, id, "one #silent"), send(p, id, "two #silent")
	p.Run()
	p.Eventually(func() bool { return len(p.Carrier.Got()) == 1 }, "the first is taken")
	p.Clock.Advance(10 * time.Second)
	// The second job may have come before the clock went on, and then waits out the lease.
	require.Eventually(t, func() bool { return status(p, first) == "SENT" && status(p, second) == "SENT" }, 30*time.Second, 5*time.Millisecond, "both are sent")
	require.Len(t, p.Carrier.Got(), 2, "once each")
}

// A sweep adds one job for a lost lane, however often it comes before a worker
// has time for it.
func TestASweepDoesNotPileUpJobs(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	id := conversation(t, p)
	send(p, id, "one")
	run(t, p, "DELETE FROM river_job")
	p.Clock.Advance(time.Minute)
	for range 3 {
		n, err := p.Messenger.SweepLanes(context.Background())
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	require.Equal(t, 1, number(t, p, drains))
	p.Run()
	p.Eventually(func() bool { return len(p.Carrier.Got()) == 1 }, "it leaves")
}

// later are the periodic jobs that the version before does not know, and must not take.
var later = []string{"deactivate_unseen", "forget_audit", "forget_crm_action_runs", "forget_crm_webhooks", "index_records", "sweep_images", "sync_crm", "write_crm_due"}

// Servers of the version before work on the same table: names, arguments, queues and
// tries are theirs.
func TestJobsAreStoredAsOlderServersExpect(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	want := []string{"build_search", "deactivate_unseen", "forget_audit", "forget_bulk", "forget_crm_action_runs", "forget_crm_webhooks", "forget_keys", "forget_raw", "index_records", "sweep_bulk", "sweep_due", "sweep_images", "sweep_lanes", "sync_crm", "trim_log", "write_crm_due"}
	p.Eventually(func() bool {
		return number(t, p, "SELECT COUNT(DISTINCT kind) FROM river_job WHERE max_attempts = 1") == len(want)
	}, "each periodic job was added")
	text := "json(args)"
	if parleytest.OnPostgres() {
		text = "CAST(args AS text)"
	}
	rows := store.SQL("SELECT DISTINCT kind, " + text + ", queue, max_attempts FROM river_job ORDER BY kind")
	var got []string
	require.NoError(t, p.Store.Read(t.Context(), store.System("a test looks"), rows, func(rows *sql.Rows) error {
		var kind, args, queue string
		var tries int
		err := rows.Scan(&kind, &args, &queue, &tries)
		wanted := "default"
		if slices.Contains(later, kind) {
			wanted = job.Upkeep.Name
		}
		require.Equal(t, []any{"{}", wanted, 1}, []any{args, queue, tries}, kind)
		got = append(got, kind)
		return err
	}))
	require.Equal(t, want, got)
}

// A name stands for one job.
func TestTwoJobsOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	twice := job.Periodic{Name: "twice", Run: func(context.Context) error { return nil }}
	require.Panics(t, func() { _, _ = job.Start(t.Context(), p.Store, []job.Job{twice, twice}, job.Options{}) })
}
