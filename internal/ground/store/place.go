package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrMoved is what a write gets while the SQLite file is not where it was opened:
// moved, removed, replaced or behind another mount. What is written then might be
// nowhere that anybody looks, so nothing is acknowledged.
var ErrMoved = errors.New("the database file is not where it was opened")

// lookEvery is how often the files are looked for while nothing is written.
const lookEvery = 500 * time.Millisecond

// hangTime is how long a look may take before its file system counts as hanging.
const hangTime = 5 * time.Second

// place is where a SQLite database lies, and which files lay there when it was
// opened. SQLite goes on in the files that it has open, wherever they are, and
// says nothing. It is safe for concurrent use.
//
// The -wal and -shm count as much as the file: commits lie in the one until they
// are folded into the file, and without the other a second process would not see
// this one's locks. Both stay the same as long as a connection is open.
//
// Files are known by device and inode (by volume and index on Windows), by asking
// for their names. They are never opened for it: closing one would drop the locks
// that SQLite has on it.
type place struct {
	path   string // as it was given
	main   string // the file itself, where a link leads
	absent atomic.Pointer[error]
	looked atomic.Pointer[time.Time] // when the last look came back: a file system can hang

	looking sync.Mutex // serialises looks
	files   []file     // the file itself first
	last    time.Time  // when this process may have written last, while the files are absent
	folder  time.Time  // when the file's folder had changed last, at the last look
}

// file is a path and what lay there.
type file struct {
	path string
	info os.FileInfo
}

// remember keeps the database's file as it lies there now, and those beside it that
// are there. What was known before must be there still.
func (p *place) remember() error {
	p.looking.Lock()
	defer p.looking.Unlock()
	if p.main == "" {
		main, err := filepath.EvalSymlinks(p.path)
		if err != nil {
			return err
		}
		p.main = main
	}
	var files []file
	for _, path := range []string{p.path, p.main + "-wal", p.main + "-shm"} {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) && path != p.path {
			continue
		}
		if err != nil {
			return err
		}
		_ = os.SameFile(info, info) // has Windows read the file's index now, not when it is compared
		files = append(files, file{path, info})
	}
	if err := p.missing(); err != nil {
		return err
	}
	p.files = files
	return nil
}

// guard has a connection undo what it would commit while the files are known not to be
// where they were, whoever writes by it, and remembers where its file lies.
func (p *place) guard(c *sqlite3.SQLiteConn) error {
	c.RegisterCommitHook(func() int {
		if p.known() != nil {
			return 1
		}
		return 0
	})
	return p.remember()
}

// known is the last look's answer. A nil place, as PostgreSQL has it, is well.
func (p *place) known() error {
	if p == nil {
		return nil
	}
	if absent := p.absent.Load(); absent != nil {
		return *absent
	}
	return nil
}

// look looks for the files, and returns ErrMoved with the reason while one of them is
// not where it was. When the very same files are back it returns nil again, unless
// the file was written to meanwhile: by somebody of whom this process knows nothing.
func (p *place) look() error {
	p.looking.Lock()
	defer p.looking.Unlock()
	return p.lookAgain(false)
}

// lookAfterCommit is look for what was just committed, before anybody is told: at what is
// beside the file only when their folder has changed. Looking at the -wal each time
// would cost a third of a commit, since the system then must keep its times for each
// flush.
func (p *place) lookAfterCommit() error {
	if p == nil {
		return nil
	}
	p.looking.Lock()
	defer p.looking.Unlock()
	if p.known() == nil && len(p.files) > 0 && p.folderChanged().Equal(p.folder) && p.files[0].missing() == nil {
		return nil
	}
	return p.lookAgain(true)
}

// folderChanged is when something was last made, renamed or removed beside the file.
func (p *place) folderChanged() time.Time {
	info, err := os.Stat(filepath.Dir(p.main))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (p *place) lookAgain(written bool) error {
	changed := p.folderChanged() // before the files: what changes meanwhile is seen next time
	was, is, now := p.known(), p.missing(), time.Now()
	if is != nil && (was == nil || written) {
		p.last = now
	}
	if is == nil && was != nil {
		is = p.touched()
	}
	p.folder = changed
	p.looked.Store(&now)
	p.absent.Store(nil)
	if is != nil {
		p.absent.Store(&is)
	}
	sayPlace(was, is)
	return is
}

func sayPlace(was, is error) {
	switch {
	case was == nil && is != nil:
		slog.Error("the database file was moved, removed or replaced, so writes are refused: put it back where it was with its -wal and -shm, "+
			"or stop this process and start it where the database is", "error", is)
	case was != nil && is == nil:
		slog.Info("the database file is back, so writes are accepted again")
	}
}

// missing says which file is not where it was.
func (p *place) missing() error {
	for _, f := range p.files {
		if err := f.missing(); err != nil {
			return err
		}
	}
	return nil
}

func (f file) missing() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s is gone", ErrMoved, f.path)
	case err != nil:
		return fmt.Errorf("%w: %s cannot be looked at: %w", ErrMoved, f.path, err)
	case !os.SameFile(info, f.info):
		return fmt.Errorf("%w: %s is another file now", ErrMoved, f.path)
	}
	return nil
}

// touched says whether the file, which is back, was written to by somebody else.
func (p *place) touched() error {
	info, err := os.Stat(p.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMoved, err)
	}
	if info.ModTime().After(p.last) {
		return fmt.Errorf("%w: %s is back, but another program wrote to it meanwhile; start this process again", ErrMoved, p.path)
	}
	return nil
}

// hangs reports whether no look has come back for some time: the file system does not
// answer.
func (p *place) hangs() bool {
	at := p.looked.Load()
	return at != nil && time.Since(*at) > hangTime
}

// watch looks for the files until closing.
func (p *place) watch(closing <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-closing:
			return
		case <-ticker.C:
			_ = p.look() // it remembers, and logs
		}
	}
}
