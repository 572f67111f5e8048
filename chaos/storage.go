package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"parley/internal/check/blackbox"
	"parley/internal/ground/store"
)

// patient are clients who wait longer than Parley waits for a lock.
func (w *world) patient() {
	for _, c := range w.clients {
		c.Timeout = 40 * time.Second
	}
}

// locked has another process hold the write lock.
func locked(ctx context.Context, t *trial) error {
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	w.patient()
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/5)
	short, long := t.times(4, 1), t.times(3, 1)
	for range short {
		if err := w.lock(ctx, l, t.between(2*time.Second, 6*time.Second)); err != nil {
			return err
		}
	}
	if err := l.only(); err != nil {
		return fmt.Errorf("during short locks: %w", err)
	}
	for range long {
		if err := w.lock(ctx, l, t.between(18*time.Second, 22*time.Second)); err != nil {
			return err
		}
	}
	t.repeats("%d locks of 2 to 6 s, %d of 18 to 22 s", short, long)
	if l.refusedCount() == 0 {
		return errors.New("nobody was refused during the long locks")
	}
	return errors.Join(w.finish(ctx, l, c), l.only("503", "UNAVAILABLE", "TIMEOUT"))
}

// lock holds the lock for some time, in which agents go on reading.
func (w *world) lock(ctx context.Context, l *load, d time.Duration) (err error) {
	if _, err := l.reaches(ctx, threads/2, 20*time.Second); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+w.database+"?_txlock=exclusive&_busy_timeout=10000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("take the lock: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return w.readFor(ctx, d)
}

// readFor reads as an agent, again and again, and fails when a read does.
func (w *world) readFor(ctx context.Context, d time.Duration) error {
	for until := time.Now().Add(d); time.Now().Before(until) && ctx.Err() == nil; wait(ctx, 100*time.Millisecond) {
		if _, err := blackbox.Watchers(w.clients)[0].Fresh(ctx); err != nil {
			return fmt.Errorf("a read during the fault: %w", err)
		}
	}
	return nil
}

// full fills the small disk that the database is on.
func full(ctx context.Context, t *trial) error {
	if err := t.smallDisk("48m"); err != nil {
		return err
	}
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/2)
	times := t.times(8, 2)
	t.repeats("%d times full, for 1 to 3 s after the first refusal", times)
	for n := range times {
		if _, err := l.reaches(ctx, threads, 20*time.Second); err != nil {
			return err
		}
		if err := fill(filepath.Join(t.dir, "filler"), t.random.Int64N(200_000)); err != nil {
			return err
		}
		before := l.refusedCount() // at first, writes find room in the WAL
		if _, err := eventually(ctx, 30*time.Second, "writes are refused", func() (bool, string) {
			return l.refusedCount() > before, fmt.Sprintf("the disk was full for the %d. time", n+1)
		}); err != nil {
			return err
		}
		if err := w.readFor(ctx, t.between(time.Second, 3*time.Second)); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(t.dir, "filler")); err != nil {
			return err
		}
	}
	return errors.Join(w.finish(ctx, l, c), l.only("503", "UNAVAILABLE"))
}

// refusedCount is how many answers were no acknowledgement.
func (l *load) refusedCount() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, times := range l.refused {
		n += times
	}
	return n
}

// fill writes a file until the disk is full, and gives some bytes back.
func fill(path string, spare int64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	block, size := make([]byte, 64<<10), int64(0)
	for len(block) > 0 {
		n, err := f.Write(block)
		size += int64(n)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			return err
		}
	}
	return f.Truncate(max(0, size-spare))
}

// smallDisk mounts a file system of a size on the trial's folder.
func (t *trial) smallDisk(size string) error {
	if os.Getenv(private) == "" {
		return fmt.Errorf("a small disk is mounted only by root, or by: unshare -Urm env %s=1 …/chaos --only full", private)
	}
	if err := syscall.Mount("tmpfs", t.dir, "tmpfs", 0, "size="+size); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	t.after(func() error { return syscall.Unmount(t.dir, 0) })
	return nil
}

// private says in the environment that this process has mounts of its own.
const private = "PARLEY_CHAOS_MOUNTS"

// withOwnMounts runs this program again in a mount namespace of its own, so that
// nothing is left mounted whatever becomes of it. Only root may; others go on as
// they are.
func withOwnMounts() error {
	unshare, err := exec.LookPath("unshare")
	if err != nil || os.Geteuid() != 0 || os.Getenv(private) != "" {
		return nil //nolint:nilerr // the scenario that mounts says what is missing
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"unshare", "--mount", program}, os.Args[1:]...)
	return syscall.Exec(unshare, args, append(os.Environ(), private+"=1")) //nolint:gosec // this very program
}

// torn kills the process and cuts its WAL short.
func torn(ctx context.Context, t *trial) error {
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	times, lost := t.times(25, 4), 0
	for cuts := 0; cuts < times; {
		n, cut, err := w.tear(ctx)
		if err != nil {
			return err
		}
		if cut {
			cuts, lost = cuts+1, lost+n
		}
	}
	t.repeats("%d cuts", times)
	t.note("%d acknowledged writes were in what was cut off", lost)
	return nil
}

// tear writes, kills, cuts, starts again and tells how many acknowledged writes
// are gone. It does not cut when SQLite has folded the WAL into the file meanwhile:
// the file is then newer than what is left of the WAL, and no promise holds.
func (w *world) tear(ctx context.Context) (lost int, done bool, err error) {
	w.processes[0].Stop() // folds the WAL into the file, so that all that follows is in the WAL alone
	if err := w.processes[0].Start(ctx); err != nil {
		return 0, false, err
	}
	before, err := os.Stat(w.database)
	if err != nil {
		return 0, false, err
	}
	l := w.start(ctx, rate)
	if _, err := l.reaches(ctx, 20+w.random.IntN(20), 20*time.Second); err != nil {
		return 0, false, err
	}
	cursor, err := blackbox.Watchers(w.clients)[0].Fresh(ctx)
	w.processes[0].Kill()
	l.stop()
	if err != nil {
		return 0, false, err
	}
	if after, err := os.Stat(w.database); err != nil || after.ModTime() != before.ModTime() {
		return 0, false, errors.Join(err, w.processes[0].Start(ctx))
	}
	if err := cut(w.database+"-wal", w.random.Int64N); err != nil {
		return 0, false, err
	}
	if err := w.inspect(ctx, func(s *store.Store) error {
		if err := consistent(ctx, s); err != nil {
			return err
		}
		lost, err = w.lostOf(ctx, s, l)
		return err
	}); err != nil {
		return 0, false, err
	}
	if err := w.processes[0].Start(ctx); err != nil {
		return 0, false, err
	}
	return lost, true, w.mustResync(ctx, cursor, lost)
}

// cut shortens a file to a random length.
func cut(path string, random func(int64) int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return fmt.Errorf("%s is empty: there is nothing to cut", path)
	}
	return os.Truncate(path, random(info.Size()))
}

// lostOf counts acknowledged writes that are gone and checks that they are the
// newest of their clients.
func (w *world) lostOf(ctx context.Context, s *store.Store, l *load) (lost int, err error) {
	stored, err := w.stored(ctx, s)
	if err != nil {
		return 0, err
	}
	newest := map[*thread]int{} // kept
	for words, th := range l.acknowledged {
		if stored[words] != nil {
			newest[th] = max(newest[th], numberOf(words))
		}
	}
	for words, th := range l.acknowledged {
		switch {
		case stored[words] != nil:
		case numberOf(words) < newest[th]:
			return 0, fmt.Errorf("%q is lost and what came after it is not", words)
		default:
			lost++
		}
	}
	return lost, nil
}

// mustResync checks that a cursor of what was lost is refused in words.
func (w *world) mustResync(ctx context.Context, cursor string, lost int) error {
	conn, err := w.clients[0].Subscribe(ctx, "ada", "subscription($after: Cursor) { messageAdded(after: $after) { kind } }", map[string]any{"after": cursor})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = blackbox.Read(ctx, conn, &struct{}{})
	const few = 10 // receipts that carriers repeat may bring the log past what was lost
	if lost >= few && !errors.Is(err, blackbox.ErrResync) {
		return fmt.Errorf("a cursor of what was lost was not answered RESYNC_REQUIRED: %w", err)
	}
	return nil
}
