package main

import (
	"context"
	"path/filepath"
	"time"

	"parley/app"
	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// stepped sets the domain's clock forward and back by hours. It runs Parley in
// this process, because only there the clock can be moved.
func stepped(ctx context.Context, t *trial) error {
	w := &world{trial: t, database: filepath.Join(t.dir, "parley.db"), carriers: newCarriers()}
	t.after(w.end)
	if err := w.prepare(ctx, plan{}); err != nil {
		return err
	}
	watch := clock.NewFake(time.Now())
	a, err := w.inProcess(ctx, watch)
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/2)
	times := t.times(20, 6)
	for n := range times {
		if _, err := l.reaches(ctx, threads, 20*time.Second); err != nil {
			return err
		}
		if err := w.abandon(ctx, a, watch.Now()); err != nil {
			return err
		}
		step := t.between(time.Hour, 12*time.Hour)
		if n%2 == 1 { // the last one, too
			step = -step
		}
		watch.Advance(step)
	}
	t.repeats("%d steps of 1 to 12 h, back and forward, each with 16 lanes left as by a crash", times)
	return w.finish(ctx, l, c)
}

// inProcess runs Parley in this process, by a clock that goes on by itself.
func (w *world) inProcess(ctx context.Context, watch *clock.Fake) (*app.App, error) {
	a, err := app.Open(ctx, app.Config{
		Database: w.database, Addr: "127.0.0.1:0", Clock: watch, CallTimeout: 2 * time.Second, Jobs: job.Options{Sweep: time.Second},
		Sends: -1, Starts: -1, Bulks: -1,
	})
	if err != nil {
		return nil, err
	}
	if err := a.Listen(); err != nil {
		return nil, err
	}
	w.clients[0].URL = a.PublicURL()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	go func() {
		const tick = 5 * time.Millisecond
		for ctx.Err() == nil {
			wait(ctx, tick)
			watch.Advance(tick)
		}
	}()
	w.inside = func() error {
		cancel()
		if err := <-ended; err != nil {
			return err
		}
		return a.Close()
	}
	return a, nil
}

// abandon leaves the lanes of some threads as a process does that is killed while
// it holds them.
func (w *world) abandon(ctx context.Context, a *app.App, now clock.Time) error {
	return a.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for range 16 {
			key := int64(1 + w.random.IntN(threads))
			_, err := tx.Exec(ctx, tx.Builder().Delete("lanes").Where(is(key)))
			if err != nil {
				return err
			}
			insert := tx.Builder().Insert("lanes").Columns("id", "token", "leased_until").Values(key, 7, int64(now.Add(6*time.Second)))
			if _, err := tx.Exec(ctx, insert); err != nil {
				return err
			}
		}
		return nil
	})
}
