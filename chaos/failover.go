package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// twoOnPostgres makes a world of two processes on a PostgreSQL of its own, with
// everybody watching and writing.
func (t *trial) twoOnPostgres(ctx context.Context, rate int) (*postgres, *world, *crowd, *load, error) {
	p, err := t.newPostgres(ctx)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	database, err := p.create(ctx)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	w, err := t.build(ctx, plan{database: database, processes: 2})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	w.patient()
	c, err := w.watch(ctx)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	return p, w, c, w.start(ctx, rate), nil
}

// passing are the answers to a write while PostgreSQL fails for a moment.
var passing = []string{"503", "UNAVAILABLE", "TIMEOUT", "no answer in time"}

// cut has PostgreSQL end every connection to the database at once, as a failover or
// an operator does.
func (p *postgres) cut(ctx context.Context) error {
	return p.exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'parley'")
}

// set sets a setting of the database for new connections, and has all begin anew;
// without a value it is the server's again.
func (p *postgres) set(ctx context.Context, name, value string) error {
	change := "ALTER DATABASE parley RESET " + name
	if value != "" {
		change = "ALTER DATABASE parley SET " + name + " = '" + value + "'"
	}
	return errors.Join(p.exec(ctx, change), p.cut(ctx))
}

// terminated cuts all connections again and again, in the middle of everything.
func terminated(ctx context.Context, t *trial) error {
	p, w, c, l, err := t.twoOnPostgres(ctx, rate/5)
	if err != nil {
		return err
	}
	times := t.times(60, 10)
	for n := range times {
		if n%5 == 0 { // else in quick succession
			if _, err := l.reaches(ctx, threads/2, 30*time.Second); err != nil {
				return err
			}
		}
		l.push(threads)
		wait(ctx, t.between(0, 100*time.Millisecond))
		if err := p.cut(ctx); err != nil {
			return err
		}
	}
	t.repeats("%d times", times)
	return errors.Join(w.finish(ctx, l, c), l.only(passing...))
}

// impatient has PostgreSQL give up statements, locks and transactions far too soon.
func impatient(ctx context.Context, t *trial) error {
	p, w, c, l, err := t.twoOnPostgres(ctx, rate/5)
	if err != nil {
		return err
	}
	rounds := t.times(3, 1)
	for range rounds {
		for _, setting := range [][2]string{{"statement_timeout", "2ms"}, {"lock_timeout", "1ms"}} {
			if _, err := l.reaches(ctx, threads/2, 30*time.Second); err != nil {
				return err
			}
			if err := p.set(ctx, setting[0], setting[1]); err != nil {
				return err
			}
			wait(ctx, t.between(2*time.Second, 4*time.Second))
			if err := p.set(ctx, setting[0], ""); err != nil {
				return err
			}
		}
		if err := w.hurried(ctx, l); err != nil {
			return err
		}
	}
	t.repeats("%d rounds: statement_timeout 2 ms, lock_timeout 1 ms, idle_in_transaction_session_timeout 20 ms, each for 2 to 4 s", rounds)
	return errors.Join(w.finish(ctx, l, c), l.only(append(passing, "no answer")...))
}

// hurried has one process run for a while whose transactions may not stand still,
// which only its own URL can say. It may end by itself when even its start takes too
// long.
func (w *world) hurried(ctx context.Context, l *load) error {
	one := w.processes[1]
	patient := one.Database
	one.Stop()
	one.Database = patient + "&idle_in_transaction_session_timeout=20"
	if err := one.Begin(); err != nil {
		return err
	}
	before := l.refusedCount()
	wait(ctx, w.between(2*time.Second, 4*time.Second))
	w.note("%d failed calls while transactions could not idle", l.refusedCount()-before)
	one.Stop()
	one.Database = patient
	return one.Start(ctx)
}

// readOnly has PostgreSQL become read-only, as after a failover to a replica, and
// back.
func readOnly(ctx context.Context, t *trial) error {
	p, w, c, l, err := t.twoOnPostgres(ctx, rate/5)
	if err != nil {
		return err
	}
	times, slowest := t.times(6, 2), time.Duration(0)
	for range times {
		if _, err := l.reaches(ctx, threads, 30*time.Second); err != nil {
			return err
		}
		if err := p.set(ctx, "default_transaction_read_only", "on"); err != nil {
			return err
		}
		if err := w.ready(ctx, http.StatusServiceUnavailable); err != nil {
			return err
		}
		if err := w.nothingPasses(ctx, l); err != nil {
			return err
		}
		if err := p.set(ctx, "default_transaction_read_only", ""); err != nil {
			return err
		}
		back := time.Now()
		if err := w.ready(ctx, http.StatusOK); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(back))
	}
	t.repeats("%d times, for 1 to 3 s", times)
	t.note("/readyz 200 again at most %s after", round(slowest))
	return errors.Join(w.finish(ctx, l, c), l.only(passing...))
}
