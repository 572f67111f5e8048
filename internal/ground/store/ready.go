package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"entgo.io/ent/dialect"
	"github.com/prometheus/client_golang/prometheus"
)

// ErrRefused says that the database answers and takes no writes.
var ErrRefused = errors.New("the database refuses writes")

// Ready says why the database cannot serve: ErrMoved, ErrRefused, or why it does not
// answer within two seconds.
func (s *Store) Ready(ctx context.Context) error {
	if s.place != nil && s.place.hangs() {
		return fmt.Errorf("%w: its file system does not answer", ErrMoved)
	}
	if err := s.place.known(); err != nil {
		return err
	}
	if err := s.writer.refusal.now(); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	err := s.answers(ctx)
	if err == nil || s.place == nil {
		return err
	}
	if moved := s.place.look(); moved != nil { // before the watch has seen it
		return moved
	}
	return err
}

// RefusesWrites reports whether the database took no write the last time. Then some
// small write is worth trying soon: nothing else finds out that it takes them again.
func (s *Store) RefusesWrites() bool { return s.writer.refusal.now() != nil }

// answers asks the database for the least, and PostgreSQL whether it may be written
// to: a replica may not.
func (s *Store) answers(ctx context.Context) error {
	if s.dialect != dialect.Postgres {
		return s.reader.PingContext(ctx)
	}
	readOnly := ""
	err := s.Read(ctx, own, SQL("SHOW transaction_read_only"), func(rows *sql.Rows) error { return rows.Scan(&readOnly) })
	if err == nil && readOnly == "on" {
		err = fmt.Errorf("%w: it is read-only", ErrRefused)
	}
	return err
}

// refusal is why the database took no write the last time, nil while it takes them.
type refusal struct{ err atomic.Pointer[error] }

func (r *refusal) now() error {
	if err := r.err.Load(); err != nil {
		return *err
	}
	return nil
}

// learn takes what became of a group. A commit that wrote nothing proves nothing.
func (r *refusal) learn(items []*item, err error) {
	refused, wrote := refusalOf(err), false
	for _, it := range items {
		wrote = wrote || it.wrote()
		if refused == nil {
			refused = refusalOf(it.err)
		}
	}
	was := r.now()
	switch {
	case refused != nil:
		if r.err.Store(&refused); was == nil {
			slog.Warn("the database refuses writes", "error", refused)
		}
	case err == nil && wrote && was != nil:
		r.err.Store(nil)
		slog.Info("the database accepts writes again")
	}
}

// refusalOf returns err if it says that the database takes no writes at present, and
// not that one write lost a race or its caller. Of a file that is away its place says
// when it is back.
func refusalOf(err error) error {
	for _, other := range []error{ErrClosed, ErrMoved, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, other) {
			return nil
		}
	}
	if err == nil || lostRace(err) || !Passing(err) {
		return nil
	}
	return err
}

// readyCollector is the metric of what Ready says without asking the database.
func (s *Store) readyCollector() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_database_refuses_writes",
		Help: "1 while the database accepts no writes, or its file was moved.",
	}, func() float64 {
		if s.RefusesWrites() || s.place.known() != nil {
			return 1
		}
		return 0
	})
}
