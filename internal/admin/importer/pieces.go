package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"parley/internal/ground/store"
)

// leastPiece is how small writes are made for a slow database: smaller ones cost it
// no less.
const leastPiece = 50

// pauses are those between tries of a write that is small already.
var pauses = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second}

// inPieces calls write with pieces of a part, in order. A write for which the
// database had no time is tried again by halves, and later ones grow again: under
// load an import is slow and goes on. Write must take what it took before, since
// one that ran out of time may have been committed.
func inPieces[T any](ctx context.Context, m *importing, part []T, write func([]T) error) error {
	tries := 0
	for len(part) > 0 {
		n := min(len(part), m.most())
		err := write(part[:n])
		switch {
		case err == nil:
			part, tries = part[n:], 0
			m.piece += m.piece/4 + 1
			continue
		case ctx.Err() != nil || !hadNoTime(err):
			return err
		case n <= leastPiece && tries >= len(m.pauses):
			return fmt.Errorf("%w; run it again to continue", err)
		}
		m.fresh = false // it may be there
		if m.piece = max(n/2, leastPiece); n > leastPiece {
			slog.WarnContext(ctx, "the database was too slow for a write, so it is repeated with fewer rows", "rows", n, "next", m.piece, "error", err)
			continue
		}
		slog.WarnContext(ctx, "the database is too slow; waiting to try again", "wait", m.pauses[tries], "error", err)
		if err := wait(ctx, m.pauses[tries]); err != nil {
			return err
		}
		tries++
	}
	return nil
}

// most is how many rows a write takes at present.
func (m *importing) most() int {
	if whole := 2 * m.batch(); m.piece <= 0 || m.piece > whole {
		m.piece = whole
	}
	return m.piece
}

func hadNoTime(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || store.Passing(err)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
