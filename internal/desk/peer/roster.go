package peer

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/version"
)

// Options are the settings of a Roster.
type Options struct {
	Store   *store.Store
	Signals feed.Signals
	// Bus says what carries the signals at this moment (Process.Bus).
	Bus func() string
	// Lifetime is that of package peer by default.
	Lifetime time.Duration
}

// Roster keeps this process's row and looks for those who are not heard. It is
// safe for concurrent use.
type Roster struct {
	o    Options
	self Process
	asks chan struct{}

	mu      sync.Mutex
	heard   map[string]time.Time // when each process was heard last
	seen    map[string]sighting
	unheard []string
}

// sighting is what this process has seen of another's row, by its own clock:
// clocks of two hosts may differ by more than a lifetime.
type sighting struct {
	said         clock.Time // its last word
	first, moved time.Time  // when the row was first seen, and last seen to have moved
}

// New returns a Roster for this process, under a name of its own. Run starts it.
func New(o Options) *Roster {
	if o.Lifetime == 0 {
		o.Lifetime = Lifetime
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Roster{
		o: o, asks: make(chan struct{}, 1), heard: map[string]time.Time{}, seen: map[string]sighting{},
		self: Process{
			Name: fmt.Sprintf("%d-%s", os.Getpid(), strings.ToLower(rand.Text()[:8])), Host: clip(host, 255),
			Version: clip(version.String(), 80), StartedAt: clock.Real{}.Now(),
		},
	}
}

// Name is what this process is called.
func (r *Roster) Name() string { return r.self.Name }

// Unheard are the other processes that live and were not heard over the bus for a
// lifetime.
func (r *Roster) Unheard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.unheard)
}

// Run keeps the row and says hello until ctx ends, then removes the row.
func (r *Roster) Run(ctx context.Context) {
	defer r.o.Signals.OnSignal(hello, r.hear)()
	defer r.o.Signals.OnSignal(who, func([]byte) { r.ask() })()
	ticker := time.NewTicker(r.o.Lifetime / 3)
	defer ticker.Stop()
	soon := time.NewTicker(r.o.Lifetime / 30)
	defer soon.Stop()
	for r.beat(ctx); ; {
		select {
		case <-ctx.Done():
			r.leave(context.WithoutCancel(ctx))
			return
		case <-r.asks:
			r.o.Signals.Signal(hello, []byte(r.self.Name))
		case <-ticker.C:
			r.beat(ctx)
		case <-soon.C:
			if r.o.Store.RefusesWrites() { // the smallest write finds out when it no longer does
				r.beat(ctx)
			}
		}
	}
}

func (r *Roster) ask() {
	select {
	case r.asks <- struct{}{}:
	default: // an answer is due already
	}
}

func (r *Roster) hear(name []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard[string(name)] = time.Now()
}

// beat says that this process lives, in the database and over the bus, and looks
// who else does.
func (r *Roster) beat(ctx context.Context) {
	r.o.Signals.Signal(hello, []byte(r.self.Name))
	ctx, cancel := context.WithTimeout(ctx, r.o.Lifetime/3)
	defer cancel()
	known := r.o.Store.RefusesWrites()
	err := r.o.Store.Write(ctx, r.say)
	var all []Process
	if err == nil {
		all, err = List(ctx, r.o.Store)
	}
	if err != nil {
		if ctx.Err() == nil && !known {
			slog.WarnContext(ctx, "cannot tell the other processes on this database that this one is running; will try again", "error", err)
		}
		return
	}
	r.look(ctx, all)
}

// say writes the row, and removes those of processes that died.
func (r *Roster) say(ctx context.Context, tx *store.Tx) error {
	now := clock.Real{}.Now()
	columns := []string{"name", "host", "version", "bus", "started_at", "seen_at"}
	insert := tx.Builder().Insert("processes").Columns(columns...).
		Values(r.self.Name, r.self.Host, r.self.Version, clip(r.o.Bus(), 80), int64(r.self.StartedAt), int64(now)).
		OnConflict(entsql.ConflictColumns("name"), entsql.ResolveWith(func(u *entsql.UpdateSet) { u.SetExcluded("bus").SetExcluded("seen_at") }))
	if _, err := tx.Exec(ctx, insert); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, tx.Builder().Delete("processes").Where(entsql.LT("seen_at", int64(now.Add(-SweptAfter)))))
	return err
}

func (r *Roster) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_ = r.o.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { // else it is swept
		_, err := tx.Exec(ctx, tx.Builder().Delete("processes").Where(entsql.EQ("name", r.self.Name)))
		return err
	})
}

// look finds who lives and is not heard, and tells the operator when that changes.
func (r *Roster) look(ctx context.Context, all []Process) {
	was := r.Unheard()
	silent := r.compare(time.Now(), all)
	switch {
	case slices.Equal(was, silent):
	case len(silent) > 0:
		slog.WarnContext(ctx, "other processes serve this database without a common bus: their events arrive up to a second late, "+
			"and typing there is not visible here; give every process the same --nats, and make sure it can reach that server",
			"processes", strings.Join(silent, ", "), "this", r.self.String())
	default:
		slog.InfoContext(ctx, "every process on this database is heard over the bus")
	}
}

// compare returns whose rows go on moving without a word over the bus. A process that
// is killed stops both, so silence counts only while the row still moves.
func (r *Roster) compare(now time.Time, all []Process) (silent []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]sighting{}
	for _, p := range all {
		if p.Name == r.self.Name {
			continue
		}
		s, known := r.seen[p.Name]
		switch {
		case !known:
			s.first = now
		case s.said != p.SeenAt:
			s.moved = now
		}
		s.said = p.SeenAt
		seen[p.Name] = s
		if now.Sub(s.moved) < r.o.Lifetime && now.Sub(s.first) > r.o.Lifetime && s.moved.Sub(r.heard[p.Name]) > r.o.Lifetime {
			silent = append(silent, p.String())
		}
	}
	for name, at := range r.heard {
		if _, has := seen[name]; !has && now.Sub(at) > r.o.Lifetime {
			delete(r.heard, name)
		}
	}
	r.seen, r.unheard = seen, silent
	return silent
}
