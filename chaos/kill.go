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
		name: "silent", fault: "connections to PostgreSQL go silent, without being closed",
		checks: "the writer gives them up and goes on", postgres: true, run: silent,
	},
	{
		name: "locked", fault: "another process locks the SQLite file, for less and for longer than Parley waits (10 s)",
		checks: "reads go on; short: nobody is refused; long: 503, UNAVAILABLE and TIMEOUT alone", run: locked,
	},
	{name: "full", fault: "the disk is full", checks: "reads go on; 503 and UNAVAILABLE alone; writes go on when there is room", run: full},
	{
		name: "torn", fault: "kill -9, then the WAL is cut short anywhere, as by a disk that lost what it had confirmed",
		checks: "the file opens and is consistent, what is lost is the newest, a cursor of what was lost is answered RESYNC_REQUIRED", run: torn,
	},
	{name: "nats", fault: "NATS goes and comes back, two processes", checks: "nobody is refused", postgres: true, run: natsAway},
	{name: "stepped", fault: "the clock is stepped by hours", checks: "lanes left by a crash are taken up", run: stepped},
	{
		name: "slow", fault: "the carrier is slow, hangs, loses and throttles",
		checks: "other conversations go on, what hangs is settled and not sent again, what was lost is UNKNOWN", run: slow,
	},
	{
		name: "mute", fault: "clients that never read",
		checks: "their sockets are closed, memory is bounded, others are served", run: mute,
	},
	{
		name: "reconnects", fault: "everybody reconnects in ten seconds",
		checks: "each gets its first frame, memory does not grow from wave to wave", run: reconnects,
	},
	{
		name: "terminated", fault: "PostgreSQL ends all connections, again and again, two processes",
		checks: "503, UNAVAILABLE and TIMEOUT alone", postgres: true, run: terminated,
	},
	{
		name: "impatient", fault: "PostgreSQL gives up statements, locks and standing transactions within milliseconds, two processes",
		checks: "503, UNAVAILABLE and TIMEOUT alone", postgres: true, run: impatient,
	},
	{
		name: "readonly", fault: "PostgreSQL becomes read-only, as after a failover to a replica, two processes",
		checks: "/readyz turns 503 and 200; reads go on, nothing is acknowledged meanwhile", postgres: true, run: readOnly,
	},
	{
		name: "moved", fault: "the SQLite file is moved away and back",
		checks: "/readyz turns 503 within a second, and 200; reads go on, nothing is acknowledged meanwhile", run: moved,
	},
	{
		name: "removed", fault: "the SQLite file is removed, or another takes its place",
		checks: "the same; what was acknowledged is in the file that the process had, and none is started where none is", run: removed,
	},
	{
		name: "churn", fault: "clients come and go by the thousand", checks: "nobody is refused; heap, goroutines and files are flat",
		most: 40 * time.Minute, run: churn,
	},
	{
		name: "restarted", fault: "PostgreSQL is restarted or crashes, two processes",
		checks: "/readyz turns 503 and 200; 503, UNAVAILABLE and TIMEOUT alone", postgres: true, run: restarted,
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
	t.note("%d writes under way at the kills (%d at most)", underWay, busiest)
	return w.finish(ctx, l, c)
}
