package access

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	lru "github.com/hashicorp/golang-lru/v2"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Seen remembers whom outside issuers sign in, and writes it beside the requests: once a
// day for each agent, and many agents in one statement.
type Seen struct {
	store *store.Store
	clock clock.Clock
	days  Days
	due   chan struct{} // holds one while something is to be written

	mu      sync.Mutex
	noted   *lru.Cache[person, sighting] // what was written or will be
	pending map[person]int64
}

// person is whom an issuer knows by a subject.
type person struct{ issuer, subject string }

type sighting struct {
	agent int64
	day   clock.Time // when it began
}

const (
	mostNoted = 10_000 // twice as many as there may be agents
	seenPause = time.Second
	seenBatch = 200 // rows of a statement
)

// Days knows when days begin: the directory.
type Days interface {
	DaysBefore(days int, at clock.Time) clock.Time
}

// NewSeen makes a Seen; its Run writes.
func NewSeen(s *store.Store, clk clock.Clock, days Days) *Seen {
	noted, _ := lru.New[person, sighting](mostNoted) // fails on a size below 1 alone
	return &Seen{store: s, clock: clk, days: days, due: make(chan struct{}, 1), noted: noted, pending: map[person]int64{}}
}

// Add notes that an issuer has signed in an agent as a subject.
func (s *Seen) Add(issuer, subject string, agent int64) {
	is := person{issuer, subject}
	now := sighting{agent, s.days.DaysBefore(0, s.clock.Now())}
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, known := s.noted.Get(is); known && was == now {
		return
	}
	s.noted.Add(is, now)
	s.pending[is] = agent
	select {
	case s.due <- struct{}{}:
	default: // it is due already
	}
}

// Run writes soon after something was noted, and when ctx ends.
func (s *Seen) Run(ctx context.Context) {
	for {
		select {
		case <-s.due:
			select {
			case <-time.After(seenPause): // for those who sign in together
			case <-ctx.Done():
			}
			s.flush(ctx)
		case <-ctx.Done():
			s.flush(ctx)
			return
		}
	}
}

// flush writes what was noted, also when ctx has ended. What cannot be written is
// forgotten, so that the next sign-in notes it again.
func (s *Seen) flush(ctx context.Context) {
	s.mu.Lock()
	pending := s.pending
	s.pending = map[person]int64{}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(viewer.AsSystem(context.WithoutCancel(ctx), "sign-in"), 5*time.Second)
	defer cancel()
	order := func(a, b person) int {
		return cmp.Or(cmp.Compare(a.issuer, b.issuer), cmp.Compare(a.subject, b.subject))
	}
	for batch := range slices.Chunk(slices.SortedFunc(maps.Keys(pending), order), seenBatch) {
		if err := s.write(ctx, batch, pending); err != nil {
			slog.ErrorContext(ctx, "sign-ins by outside issuers could not be recorded; the next ones are", "error", err)
			s.forget(batch)
		}
	}
}

func (s *Seen) forget(persons []person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, is := range persons {
		s.noted.Remove(is)
	}
}

// write changes no row that says the same already, so that several processes write an
// agent's day once.
func (s *Seen) write(ctx context.Context, batch []person, agents map[person]int64) error {
	now := s.clock.Now()
	today := s.days.DaysBefore(0, now)
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		insert := tx.Builder().Insert("identities").Columns("issuer", "subject", "agent_id", "last_seen_at", "counts_from")
		for _, is := range batch {
			insert.Values(is.issuer, is.subject, agents[is], int64(now), int64(now))
		}
		t := entsql.Table("identities")
		insert.OnConflict(
			entsql.ConflictColumns("issuer", "subject"), entsql.ResolveWithNewValues(),
			entsql.UpdateWhere(entsql.Or(entsql.LT(t.C("last_seen_at"), int64(today)), entsql.ExprP("identities.agent_id <> excluded.agent_id"))),
		)
		_, err := tx.Exec(ctx, insert)
		return err
	})
}
