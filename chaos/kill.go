package main

import (
	"context"
	"time"
)

// rate is the load's writes a second.
const rate = 500

// The longest come first, which suits a run side by side.
var scenarios = []scenario{
	{name: "kill", fault: "kill -9 under load, while clients lose their connections", checks: "subscribers resume by cursor", run: kill},
	{
		name: "silent", fault: "connections to PostgreSQL go silent without being closed",
		checks: "the writer drops them and continues", postgres: true, run: silent,
	},
	{
		name: "locked", fault: "another process locks the SQLite file, for less and for more than Parley waits (10 s)",
		checks: "reads continue; short: nothing is refused; long: only 503, UNAVAILABLE and TIMEOUT", run: locked,
	},
	{name: "full", fault: "the disk is full", checks: "reads continue; only 503 and UNAVAILABLE; writes continue when there is space", run: full},
	{
		name: "torn", fault: "kill -9, then the WAL is truncated at a random point, as by a disk that lost confirmed writes",
		checks: "the file opens and is consistent, only the newest writes are lost, a cursor of lost events gets RESYNC_REQUIRED", run: torn,
	},
	{name: "nats", fault: "NATS goes down and comes back, two processes", checks: "nothing is refused", postgres: true, run: natsAway},
	{name: "stepped", fault: "the clock is stepped by hours", checks: "lanes left by a crash are resumed", run: stepped},
	{
		name: "slow", fault: "the carrier is slow, hangs, loses and throttles",
		checks: "other conversations continue, hanging messages are settled and not sent again, lost ones are UNKNOWN", run: slow,
	},
	{
		name: "mute", fault: "clients that never read",
		checks: "their sockets are closed, memory stays bounded, others are served", run: mute,
	},
	{
		name: "reconnects", fault: "all clients reconnect in ten seconds",
		checks: "each gets its first frame, memory does not grow from wave to wave", run: reconnects,
	},
	{
		name: "terminated", fault: "PostgreSQL terminates all connections repeatedly, two processes",
		checks: "only 503, UNAVAILABLE and TIMEOUT", postgres: true, run: terminated,
	},
	{
		name: "impatient", fault: "PostgreSQL aborts statements, locks and idle transactions within milliseconds, two processes",
		checks: "only 503, UNAVAILABLE and TIMEOUT", postgres: true, run: impatient,
	},
	{
		name: "readonly", fault: "PostgreSQL becomes read-only, as after a failover to a replica, two processes",
		checks: "/readyz returns 503, then 200; reads continue, nothing is acknowledged in between", postgres: true, run: readOnly,
	},
	{
		name: "moved", fault: "the SQLite file is moved away and back",
		checks: "/readyz returns 503 within a second, then 200; reads continue, nothing is acknowledged in between", run: moved,
	},
	{
		name: "removed", fault: "the SQLite file is removed or replaced by another",
		checks: "the same; acknowledged writes are in the file that the process had, and no new database is created", run: removed,
	},
	{
		name: "churn", fault: "thousands of clients come and go", checks: "nothing is refused; heap, goroutines and files stay flat",
		most: 40 * time.Minute, run: churn,
	},
	{
		name: "restarted", fault: "PostgreSQL is restarted or crashes, two processes",
		checks: "/readyz returns 503, then 200; only 503, UNAVAILABLE and TIMEOUT", postgres: true, run: restarted,
	},
}

// kill kills the process again and again, most often in the middle of a group
// commit, while the connections of those who watch break.
func kill(ctx context.Context, t *trial) error {
	kills, drops := t.times(20, 3), t.times(200, 30)
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate)
	underWay, busiest := int64(0), int64(0)
	for range kills {
		if _, err := l.reaches(ctx, 50, 20*time.Second); err != nil {
			return err
		}
		for goal := c.drops + drops/kills; c.drops < goal && ctx.Err() == nil; {
			wait(ctx, t.between(10*time.Millisecond, 80*time.Millisecond))
			c.drop()
		}
		l.push(threads) // a full group
		wait(ctx, t.between(0, 10*time.Millisecond))
		inFlight := l.underWay.Load()
		underWay, busiest = underWay+inFlight, max(busiest, inFlight)
		w.processes[0].Kill()
		if err := w.processes[0].Start(ctx); err != nil {
			return err
		}
	}
	t.repeats("%d kills, %d lost connections", kills, c.drops)
	t.note("%d writes in flight at the kills (%d at most)", underWay, busiest)
	return w.finish(ctx, l, c)
}
