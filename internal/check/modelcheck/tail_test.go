package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

// The position tail (store: tail.write): group writers of several processes on
// PostgreSQL, READ COMMITTED, and a reader that goes on from the last position
// it has seen (feed: Hub.follow).
//
// Bounds: three writers with one transaction each, of 1, 2 and 1 events, each of
// which may fail; one reader with pages of two events.

type tailAt int8

const (
	tailBegun  tailAt = iota // the items ran
	tailRead                 // only in a mutation: the head was read, unlocked
	tailPlaced               // store.lockTail has answered
	tailFilled               // feed.appendEntries is done, unseen by others
	tailEnded                // committed or undone
)

var tailEvents = [3]int8{1, 2, 1}

type tailState struct {
	at   [3]tailAt
	last [3]int8 // what lockTail answered
	head int8    // log_heads.position, committed
	lock int8    // the writer that has changed that row and is not done, from 1
	log  [5]int8 // the events that others see: by whom, from 1; index 0 is unused

	cursor int8    // the reader's
	read   [5]bool // positions the reader was given
	again  bool    // two events wanted one position
}

type tailFault string

const (
	tailSequence tailFault = "no tail lock: positions come from a sequence"
	tailEarly    tailFault = "the lock is released before the commit"
	tailUnlocked tailFault = "the head is read, then written"
)

// write is one transaction's end: writer.attempt from tail.write on.
func (f tailFault) write(i int8) func(*tailState) string {
	return func(s *tailState) string {
		switch s.at[i] {
		case tailBegun:
			return f.place(s, i)
		case tailRead: // UPDATE log_heads SET position = what was read + n
			s.head, s.at[i] = s.last[i], tailPlaced
			return fmt.Sprint("writes the head ", s.last[i])
		case tailPlaced: // appendEntries
			s.at[i] = tailFilled
			if f == tailEarly {
				s.head, s.lock = s.last[i], 0
			}
			return "inserts its events"
		case tailFilled: // tx.Commit: the events and the head are seen at once
			s.at[i] = tailEnded
			for p := s.last[i] - tailEvents[i] + 1; p <= s.last[i]; p++ {
				s.again = s.again || s.log[p] != 0
				s.log[p] = i + 1
			}
			if f == "" {
				s.head, s.lock = s.last[i], 0
			}
			return fmt.Sprintf("commits events up to %d", s.last[i])
		}
		return ""
	}
}

// place is lockTail: UPDATE log_heads SET position = position + n RETURNING
// position. It waits for whoever has changed the row and is not done.
func (f tailFault) place(s *tailState, i int8) string {
	if s.lock != 0 {
		return ""
	}
	s.last[i], s.at[i] = s.head+tailEvents[i], tailPlaced
	switch f {
	case tailSequence:
		s.head = s.last[i]
	case tailUnlocked:
		s.at[i] = tailRead
		return fmt.Sprint("reads the head ", s.head)
	default:
		s.lock = i + 1
	}
	return fmt.Sprintf("is given positions up to %d", s.last[i])
}

// fail is what group.release does when anything before the commit fails.
func (f tailFault) fail(i int8) func(*tailState) string {
	return func(s *tailState) string {
		if s.at[i] == tailEnded {
			return ""
		}
		s.at[i] = tailEnded
		if s.lock == i+1 {
			s.lock = 0
		}
		return "fails and is undone"
	}
}

// readTail is feed.readLog from the reader's position on.
func readTail(s *tailState) string {
	given := 0
	for p := s.cursor + 1; p < int8(len(s.log)) && given < 2; p++ {
		if s.log[p] != 0 {
			s.read[p], s.cursor = true, p
			given++
		}
	}
	if given == 0 {
		return ""
	}
	return fmt.Sprintf("reads on, to %d", s.cursor)
}

var (
	errPassed = errors.New("an event stands at a position that the reader has passed")
	errHole   = errors.New("there is a hole in the log")
	errShared = errors.New("two events were given one position")
)

func notShared(s tailState) error {
	if s.again {
		return errShared
	}
	return nil
}

func notPassed(s tailState) error {
	for p := int8(1); p <= s.cursor; p++ {
		if s.log[p] != 0 && !s.read[p] {
			return errPassed
		}
	}
	return nil
}

func dense(s tailState) error {
	for p := 2; p < len(s.log); p++ {
		if s.log[p] != 0 && s.log[p-1] == 0 {
			return errHole
		}
	}
	return nil
}

func (f tailFault) model() modelcheck.Model[tailState] {
	type process = modelcheck.Process[tailState]
	m := modelcheck.Model[tailState]{
		Processes: []process{{Name: "reader", Step: readTail}},
		Always:    func(s tailState) error { return errors.Join(notShared(s), notPassed(s), dense(s)) },
		Ends: func(s tailState) bool {
			return s.at == [3]tailAt{tailEnded, tailEnded, tailEnded} && (s.head == 0 || s.log[s.head] == 0 || s.cursor == s.head)
		},
	}
	for i := range int8(len(tailEvents)) {
		name := fmt.Sprint("writer ", i+1)
		m.Processes = append(m.Processes, process{Name: name, Step: f.write(i)}, process{Name: name, Step: f.fail(i)})
	}
	return m
}

func TestPositionsAreCommitOrder(t *testing.T) {
	t.Parallel()
	proves(t, tailFault("").model())
}

func TestPositionFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault tailFault
		holds func(tailState) error
		want  error
		most  int
	}{
		"sequence, hole":   {tailSequence, dense, errHole, 4},
		"sequence, passed": {tailSequence, notPassed, errPassed, 7},
		"early, hole":      {tailEarly, dense, errHole, 5},
		"early, passed":    {tailEarly, notPassed, errPassed, 7},
		"unlocked, shared": {tailUnlocked, notShared, errShared, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log(c.fault)
			m := c.fault.model()
			m.Always = c.holds
			catches(t, m, c.want, c.most)
		})
	}
}
