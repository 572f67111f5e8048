package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"parley/internal/ground/store"
)

// moved has somebody move the database file away under load, and back.
func moved(ctx context.Context, t *trial) error {
	w, err := t.build(ctx, plan{database: filepath.Join(t.dir, "folder", "parley.db")})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate)
	ways := [][]string{{""}, {"", "-wal", "-shm"}, {"-wal"}, {"folder"}} // what goes
	times, slowest := t.times(12, 4), time.Duration(0)
	for n := range times {
		if _, err := l.reaches(ctx, threads, 20*time.Second); err != nil {
			return err
		}
		took, err := w.away(ctx, l, ways[n%len(ways)])
		if err != nil {
			return err
		}
		slowest = max(slowest, took)
	}
	t.repeats("%d times moved for 1 to 3 s: the file, the file with -wal and -shm, the -wal, the folder in turn", times)
	t.note("noticed after at most %s", round(slowest))
	return errors.Join(w.finish(ctx, l, c), l.only("503", "UNAVAILABLE", "TIMEOUT"))
}

// away takes files away until the process has said so for a while, in which nothing
// may be acknowledged, and brings them back.
func (w *world) away(ctx context.Context, l *load, files []string) (noticed time.Duration, err error) {
	began := time.Now()
	if err := w.rename(files, "", ".away"); err != nil {
		return 0, err
	}
	if err := w.ready(ctx, http.StatusServiceUnavailable); err != nil {
		return 0, err
	}
	if noticed = time.Since(began); noticed > 2*time.Second { // a second, and some on a crowded machine
		return 0, fmt.Errorf("it took %s until /readyz said that the file was gone", noticed)
	}
	if err := w.nothingPasses(ctx, l); err != nil {
		return 0, err
	}
	if err := w.rename(files, ".away", ""); err != nil {
		return 0, err
	}
	return noticed, w.ready(ctx, http.StatusOK)
}

// rename renames files beside the database, or its folder, by what their names end
// with.
func (w *world) rename(files []string, from, to string) error {
	var errs []error
	for _, beside := range files {
		name := w.database + beside
		if beside == "folder" {
			name = filepath.Dir(w.database)
		}
		errs = append(errs, os.Rename(name+from, name+to))
	}
	return errors.Join(errs...)
}

// nothingPasses checks for a while that no write is acknowledged while agents go on
// reading. What was answered before may still be on its way to a client.
func (w *world) nothingPasses(ctx context.Context, l *load) error {
	wait(ctx, 200*time.Millisecond)
	before := l.count()
	if err := w.readFor(ctx, w.between(time.Second, 3*time.Second)); err != nil {
		return err
	}
	if passed := l.count() - before; passed > 0 {
		return fmt.Errorf("%d writes were acknowledged while the file was away", passed)
	}
	return nil
}

// removed has somebody remove the database file under load, or put another in its
// place, for good: the process is ended and what it had is looked at.
func removed(ctx context.Context, t *trial) error {
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate)
	times := t.times(8, 2)
	for n := range times {
		if err := w.lose(ctx, l, n); err != nil {
			return fmt.Errorf("loss %d: %w", n+1, err)
		}
		l.resume(ctx, rate)
	}
	t.repeats("%d losses: removed and replaced in turn, the process then stopped or killed", times)
	return w.finish(ctx, l, c)
}

// lose keeps the files under other names, as undelete does, takes them from the
// process, and checks that what was acknowledged is in them. They then go back to
// where they were.
func (w *world) lose(ctx context.Context, l *load, n int) error {
	if _, err := l.reaches(ctx, 2*threads, 20*time.Second); err != nil {
		return err
	}
	kept, replaced := filepath.Join(w.dir, fmt.Sprintf("kept%d.db", n)), n%2 == 1
	err := errors.Join(os.Link(w.database, kept), os.Link(w.database+"-wal", kept+"-wal"), w.takeAway(replaced))
	if err == nil {
		err = w.ready(ctx, http.StatusServiceUnavailable)
	}
	if err == nil {
		err = w.nothingPasses(ctx, l)
	}
	l.stop()
	if (n+n/2)%2 == 0 {
		w.processes[0].Stop()
	} else {
		w.processes[0].Kill()
	}
	if err == nil && !replaced {
		err = w.refusesToStart(ctx)
	}
	if err != nil {
		return err
	}
	if err := w.putBack(kept); err != nil {
		return err
	}
	if err := w.processes[0].Start(ctx); err != nil {
		return err
	}
	if _, err := w.drained(ctx); err != nil {
		return err
	}
	return w.inspect(ctx, func(s *store.Store) error { return w.verify(ctx, s, l) })
}

// putBack puts what a process had where the database is, and nothing else.
func (w *world) putBack(kept string) error {
	for _, beside := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(w.database + beside); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return errors.Join(os.Rename(kept, w.database), os.Rename(kept+"-wal", w.database+"-wal"))
}

// takeAway removes the file, with what is beside it, or puts another in its place.
func (w *world) takeAway(replace bool) error {
	if !replace {
		return errors.Join(os.Remove(w.database), os.Remove(w.database+"-wal"), os.Remove(w.database+"-shm"))
	}
	from, err := os.Open(w.database)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.Create(w.database + ".new")
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close(), os.Rename(w.database+".new", w.database))
}

// refusesToStart checks that no new database is made where there is none.
func (w *world) refusesToStart(ctx context.Context) error {
	if err := w.processes[0].Start(ctx); err == nil {
		return errors.New("it started where no database was")
	}
	if _, err := os.Stat(w.database); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("a database was made where none was: %w", err)
	}
	return nil
}
