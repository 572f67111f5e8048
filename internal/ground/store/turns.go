package store

import (
	"context"
	"runtime"
	"time"

	"parley/internal/ground/fault"
	"parley/internal/ground/turn"
	"parley/internal/ground/viewer"
)

const (
	// scansEach is how many scans one agent may have under way, and as many walks.
	scansEach = 2
	// mostWalks is how many walks all agents may have under way.
	mostWalks = 1_000
)

// mostScanWait is how long a request waits for its turn to scan.
const mostScanWait = 5 * time.Second

// shareReaders makes the gates for so many connections. Scans leave half of the
// connections, and of the processors, to everybody else.
func (s *Store) shareReaders(n int) {
	s.readers = turn.New(turn.Options{Places: max(1, n)})
	s.scans = turn.New(turn.Options{Places: max(1, min(n, runtime.NumCPU())/2), Each: scansEach})
	s.walks = turn.New(turn.Options{Places: mostWalks, Each: scansEach})
}

// inTurn reads when it is the turn of the agent of ctx: a statement of theirs waits
// for one of each other agent at most, however many those have sent.
func (s *Store) inTurn(ctx context.Context, read func() error) error {
	caller := viewer.Caller(ctx)
	if err := s.readers.Enter(ctx, caller); err != nil {
		return err
	}
	defer s.readers.Leave(caller)
	return read()
}

// Scan runs what visits rows by the thousand. A few run at once, so that a page
// never waits behind them, and the agents take turns. A request whose turn does not
// come in time is LIMIT_EXCEEDED, with how long to wait; what has no deadline, as a
// stream, waits for its turn.
func (s *Store) Scan(ctx context.Context, scan func(context.Context) error) error {
	return waitFor(ctx, s.scans, scan)
}

// Walk runs what takes many short statements, as a search does. An agent has two
// under way, so that their others wait; those of other agents do not.
func (s *Store) Walk(ctx context.Context, walk func(context.Context) error) error {
	return waitFor(ctx, s.walks, walk)
}

func waitFor(ctx context.Context, gate *turn.Gate, work func(context.Context) error) error {
	caller := viewer.Caller(ctx)
	wait, cancel := ctx, context.CancelFunc(func() {})
	if deadline, bounded := ctx.Deadline(); bounded {
		wait, cancel = context.WithTimeout(ctx, min(time.Until(deadline)/2, mostScanWait))
	}
	err := gate.Enter(wait, caller)
	cancel()
	switch {
	case err != nil && ctx.Err() == nil:
		return &fault.Error{
			Code: fault.LimitExceeded, RetryAfter: mostScanWait,
			Message: "Too many counts, searches, dry runs and bulk selections are in flight. Wait retryAfter seconds, then try again with fewer at once.",
		}
	case err != nil:
		return err
	}
	defer gate.Leave(caller)
	return work(ctx)
}
