package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

// Hints (store: writer.commit → OnCommit; feed: Bus, Hub.hint, Run, follow,
// deliver, Await): two group writers commit and tell the bus, which may lose,
// hold back and repeat what it is told; a hub hands on what it reads.
//
// Bounds: two writers with two groups of one event each (one writer where a
// fault is sought); one hint repeated; a hub with pages of one event, so that a
// full page must be followed by another; one query that awaits the first event.

type hintState struct {
	head    int8    // committed events; positions are commit order (tail_test.go)
	groups  [2]int8 // each writer's groups yet to come
	between [2]bool // each writer: one half of commit and hint is done
	bus     int8    // hints under way
	copied  bool    // the bus has repeated one
	wake    bool    // Hub.wake, a channel with room for one

	runs     [2]hintRun // Hub.Run; the second only in a fault
	position int8       // Hub.position: handed on
	wrong    bool       // handed on out of order or twice

	query hintQuery
	moved bool // Hub.moved stands for the query: it waits, or will
}

type hintRun struct {
	looking bool // in follow
	page    int8 // the event it has read, 0 for none yet
	empty   bool // it has read, and there was nothing
}

type hintQuery int8

const (
	queryLooks hintQuery = iota
	queryRegisters
	queryHints
	queryWaits
	queryDone
)

// hints says how the world is, and what is wrong with the code.
type hints struct {
	lossy    bool // the bus loses hints
	check    bool // Hub.Run's ticker
	awaiting bool // there is a query

	before    bool // fault: the hint goes out before the commit
	roomless  bool // fault: wake has no room, so a busy hub is not woken
	drains    bool // fault: wake is emptied after the log was read
	onePage   bool // fault: a full page is not followed by another look
	twoFollow bool // fault: every hint follows by itself, in no one goroutine
	registers bool // fault: Await looks, then registers, in two steps
	silent    bool // fault: Await does not hint
}

// write is writer.commit: the commit, then OnCommit, which is Bus.Publish.
func (w hints) write(i int) func(*hintState) string {
	return func(s *hintState) string {
		if s.groups[i] == 0 {
			return ""
		}
		commits := s.between[i] == w.before
		if s.between[i] {
			s.groups[i]--
		}
		s.between[i] = !s.between[i]
		if commits {
			s.head++
			return fmt.Sprintf("commits event %d", s.head)
		}
		s.bus++
		return "tells the bus"
	}
}

// arrive is Hub.hint, called by the bus.
func (w hints) arrive(s *hintState) string {
	if s.bus == 0 {
		return ""
	}
	s.bus--
	return w.hint(s)
}

func (w hints) hint(s *hintState) string {
	if w.roomless && s.runs[0].looking {
		return "brings a hint to a busy hub"
	}
	s.wake = true
	return "brings a hint"
}

func (w hints) lose(s *hintState) string {
	if !w.lossy || s.bus == 0 {
		return ""
	}
	s.bus--
	return "loses a hint"
}

func (w hints) repeat(s *hintState) string {
	if s.copied || s.bus == 0 {
		return ""
	}
	s.copied = true
	s.bus++
	return "repeats a hint"
}

// run is Hub.Run: wait for wake, then follow.
func (w hints) run(i int) func(*hintState) string {
	return func(s *hintState) string {
		r := &s.runs[i]
		switch {
		case i == 1 && !w.twoFollow:
			return ""
		case !r.looking && s.wake:
			s.wake, r.looking = false, true
			return "wakes"
		case r.looking && r.page == 0 && !r.empty: // follow: readLog
			if r.empty = s.head == s.position; r.empty {
				return "reads the log: nothing new"
			}
			r.page = s.position + 1
			return fmt.Sprintf("reads event %d", r.page)
		case r.empty:
			s.wake = s.wake && !w.drains
			*r = hintRun{}
			return "is done following"
		case r.looking: // deliver, under the hub's lock
			s.wrong = s.wrong || r.page != s.position+1
			s.position = r.page
			*r = hintRun{looking: !w.onePage}
			s.moved = false // announce
			return fmt.Sprintf("hands on event %d", s.position)
		}
		return ""
	}
}

func (w hints) tick(s *hintState) string {
	if !w.check || s.runs[0].looking {
		return ""
	}
	s.runs[0].looking = true
	return "looks at the log, unasked"
}

// await is Hub.Await for position 1, by one who knows that it is committed.
func (w hints) await(s *hintState) string {
	switch s.query {
	case queryLooks: // awaited: looks and registers under one lock
		switch {
		case !w.awaiting || s.head == 0:
			return ""
		case s.position >= 1:
			s.query = queryDone
			return "finds event 1 handed on"
		case w.registers:
			s.query = queryRegisters
			return "finds event 1 not handed on"
		}
		fallthrough
	case queryRegisters:
		s.moved, s.query = true, queryHints
		return "registers for the next move"
	case queryHints:
		s.query = queryWaits
		if w.silent {
			return "waits"
		}
		w.hint(s)
		return "hints, and waits"
	case queryWaits:
		if s.moved {
			return ""
		}
		s.query = queryLooks
		return "is told of a move"
	}
	return ""
}

var errHandedOn = errors.New("an event was handed on twice or out of order")

// model is the hub with writers of so many groups each.
func (w hints) model(groups ...int8) modelcheck.Model[hintState] {
	var start hintState
	copy(start.groups[:], groups)
	events := start.groups[0] + start.groups[1]
	return modelcheck.Model[hintState]{
		Start: start,
		Processes: []modelcheck.Process[hintState]{
			{Name: "writer 1", Step: w.write(0)},
			{Name: "writer 2", Step: w.write(1)},
			{Name: "bus", Step: w.arrive},
			{Name: "bus", Step: w.lose},
			{Name: "bus", Step: w.repeat},
			{Name: "hub", Step: w.run(0)},
			{Name: "hub's other", Step: w.run(1)},
			{Name: "hub", Step: w.tick},
			{Name: "query", Step: w.await},
		},
		Always: func(s hintState) error {
			if s.wrong {
				return errHandedOn
			}
			return nil
		},
		Ends: func(s hintState) bool {
			return s.position == events && (s.query == queryDone || !w.awaiting)
		},
	}
}

func TestEveryEventIsHandedOn(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]hints{
		"by hints alone":         {},
		"by the check, for lost": {lossy: true, check: true, awaiting: true},
		// Why a search with the check would not show them.
		"by the check, whatever is wrong with hints": {lossy: true, check: true, before: true, roomless: true, drains: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proves(t, w.model(2, 2))
		})
	}
}

func TestHintFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hints
		want error
		most int
	}{
		"hint before commit":          {hints{before: true}, modelcheck.ErrStuck, 16},
		"wake dropped when busy":      {hints{roomless: true}, modelcheck.ErrStuck, 12},
		"wake emptied after the look": {hints{drains: true}, modelcheck.ErrStuck, 12},
		"one page only":               {hints{onePage: true}, modelcheck.ErrStuck, 12},
		"lost hints and no check":     {hints{lossy: true}, modelcheck.ErrStuck, 8},
		"each hint follows by itself": {hints{twoFollow: true}, errHandedOn, 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catches(t, c.model(2), c.want, c.most)
		})
	}
}

// A query that knows of an event gets it, whatever became of the hint.
func TestAwaitNeedsNothingFromTheBus(t *testing.T) {
	t.Parallel()
	awaited := func(w hints, groups ...int8) modelcheck.Model[hintState] {
		w.lossy, w.awaiting = true, true
		m := w.model(groups...)
		m.Ends = func(s hintState) bool { return s.query == queryDone }
		return m
	}
	proves(t, awaited(hints{}, 2, 2))
	catches(t, awaited(hints{silent: true}, 1), modelcheck.ErrStuck, 5)
	// The move comes before it has registered, and its own hint finds nothing new.
	catches(t, awaited(hints{registers: true}, 1), modelcheck.ErrStuck, 14)
}
