package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

// Rights that change under a stream (directory: Change, Refresh, Observe; feed:
// Hub.follow; live: stand, pump, follow, take): the viewer has a right by two
// permission sets, which administrators of other processes change.
//
// What a stream of this process may know is what its directory has read: the
// moments between a commit and its being observed are like those of a query. A
// row may be given when the directory granted the right at some moment after the
// row was read. How the stream gets at the log is handover_test.go's matter.
//
// Bounds: two changes, two messages, one refresh that somebody else asks for.

type rightsAt int8

const (
	rightsViewer rightsAt = iota // stand: asks the directory
	rightsOpen                   // stand: reads the first frame
	rightsAwait                  // stand: waits for the hub
	rightsAgain                  // stand: asks the directory again
	rightsFirst                  // pump: gives the first frame
	rightsNext                   // follow: waits for an event
	rightsRow                    // follow: reads the row
	rightsLook                   // follow: asks the directory
	rightsGive                   // follow: gives the frame
)

const rightsMost = 4 // events: two changes, two messages

type rightsState struct {
	sets     [2]bool // what the viewer has the right by
	open     [2]bool // the administrator's transaction: open
	names    [2]bool // … and its event names the viewer
	done     [2]bool
	changes  int8 // how often the right has come or gone
	messages int8 // committed

	head  int8
	moves [rightsMost + 1]bool // the event is a change that names the viewer
	added [rightsMost + 1]bool // the event is a message
	had   [rightsMost + 1]bool // the viewer had the right when it was committed

	granted  bool // Directory.now
	reading  bool // a refresh is under way, by somebody else …
	readSets bool // … and has read this
	asked    bool
	position int8 // Hub.position
	page     int8 // the event that the hub holds, 0 for none
	observed bool

	at       rightsAt
	v        bool // standing.v
	from     int8 // read up to here
	next     int8 // event in hand
	version  int8 // of the row in hand: messages it holds
	fair     bool // the directory granted the right since the row was read
	late     bool // the event came after the loss, and the right did not come back
	reset    bool // the first frame is a RESET
	openedAt int8

	told   bool // the subscriber stands under the right
	stands bool
	known  int8 // messages the subscriber knows of
	resets int8
	leaked bool
}

// rights is how the world is, and what is wrong with the code.
type rights struct {
	sets [2]bool // at first
	to   [2]bool // what the administrators make of them

	looksFirst bool // fault: rights looked at before the row is read
	handsFirst bool // fault: the hub hands on before it has observed
	beyond     bool // fault: the stream reads the log beyond the hub
	noAwait    bool // fault: stand does not wait for the hub
	noAgain    bool // fault: stand does not ask again
	torn       bool // fault: refreshes are not serialised
	skewed     bool // fault: two changes at once name those whom each alone moves
}

func (s *rightsState) has() bool { return s.sets[0] || s.sets[1] }

func (s *rightsState) grant(is bool) {
	s.granted = is
	s.fair = s.fair || is
}

// change is Directory.Change, on another process: rights before, the change,
// rights after, the event; then the commit. Nobody sees another's open change,
// and oneAtATime has the second wait for the first.
func (r rights) change(i int) func(*rightsState) string {
	return func(s *rightsState) string {
		switch {
		case s.done[i] || s.open[1-i] && !r.skewed:
			return ""
		case !s.open[i]:
			s.open[i] = true
			other := s.sets[1-i]
			s.names[i] = (s.sets[i] || other) != (r.to[i] || other)
			return fmt.Sprintf("changes a set, names the viewer: %t", s.names[i])
		}
		had := s.has()
		s.open[i], s.done[i], s.sets[i] = false, true, r.to[i]
		if s.has() != had {
			s.changes++
		}
		s.head++
		s.moves[s.head], s.had[s.head] = s.names[i], s.has()
		return fmt.Sprintf("commits event %d: the viewer has the right: %t", s.head, s.has())
	}
}

func rightsMessage(s *rightsState) string {
	if s.messages == 2 {
		return ""
	}
	s.messages++
	s.head++
	s.added[s.head], s.had[s.head] = true, s.has()
	return fmt.Sprintf("writes, event %d", s.head)
}

// refresh is Directory.Refresh, by somebody who misses a channel: it reads, then
// stores, under a lock.
func (r rights) refresh(s *rightsState) string {
	switch {
	case !s.asked:
		s.asked, s.reading, s.readSets = true, true, s.has()
		return fmt.Sprintf("reads the directory: %t", s.readSets)
	case s.reading:
		s.reading = false
		s.grant(s.readSets)
		return "stores it"
	}
	return ""
}

// follow is Hub.follow: read, observe, hand on.
func (r rights) follow(s *rightsState) string {
	switch {
	case s.page == 0:
		if s.position == s.head {
			return ""
		}
		s.page, s.observed = s.position+1, false
		return fmt.Sprintf("reads event %d", s.page)
	case !s.observed && !s.added[s.page]: // Directory.Observe
		if s.reading && !r.torn {
			return ""
		}
		s.observed = true
		s.grant(s.has())
		if r.handsFirst {
			s.page = 0
		}
		return fmt.Sprintf("observes: the viewer has the right: %t", s.granted)
	}
	s.position, s.page = s.page, 0
	return fmt.Sprintf("hands on event %d", s.position)
}

// handFirst is the hub's order turned round: the event is handed on, then
// observed.
func (r rights) handFirst(s *rightsState) string {
	if !r.handsFirst || s.page == 0 || s.position == s.page {
		return ""
	}
	s.position = s.page
	return fmt.Sprintf("hands on event %d, unobserved", s.position)
}

// stand and follow of package live.
func (r rights) stream(s *rightsState) string {
	switch s.at {
	case rightsViewer:
		s.v, s.at = s.granted, rightsOpen
		return fmt.Sprintf("stands under %t", s.v)
	case rightsOpen:
		s.openedAt, s.at = s.head, rightsAwait
		s.read()
		s.late = false
		return fmt.Sprintf("reads the first frame at %d", s.head)
	case rightsAwait:
		if s.position < s.openedAt && !r.noAwait {
			return ""
		}
		s.at = rightsAgain
		return "has awaited the hub"
	case rightsAgain:
		s.at = rightsFirst
		if s.granted != s.v && !r.noAgain {
			s.v, s.at = s.granted, rightsOpen
		}
		return "asks again"
	case rightsFirst:
		s.from, s.told, s.at = s.openedAt, s.v, rightsNext
		if s.reset {
			s.resets++
		}
		s.stands = true
		s.give()
		return fmt.Sprintf("gives the first frame, under %t", s.v)
	}
	return r.event(s)
}

func (s *rightsState) read() {
	s.version, s.fair = s.messages, s.granted
	s.late = !s.had[s.next] && !s.has()
}

func (s *rightsState) give() {
	if s.v {
		s.known = max(s.known, s.version)
		s.leaked = s.leaked || !s.fair || s.late
	}
	s.next, s.version, s.fair, s.late = 0, 0, false, false
}

// event is one round of stream.follow.
func (r rights) event(s *rightsState) string {
	switch s.at {
	case rightsNext:
		upTo := s.position
		if r.beyond {
			upTo = s.head
		}
		if s.from >= upTo {
			return ""
		}
		s.from++
		switch {
		case s.added[s.from] && s.v: // want
			s.next, s.at = s.from, rightsRow
			if r.looksFirst {
				s.at = rightsLook
			}
		case s.moves[s.from]: // Event.MayMoveRights
			s.next, s.at = s.from, rightsLook
		}
		return fmt.Sprintf("comes to event %d", s.from)
	case rightsRow:
		s.at = rightsLook
		if r.looksFirst {
			s.at = rightsGive
		}
		s.read()
		return fmt.Sprintf("reads the row, %d messages", s.version)
	case rightsLook:
		switch {
		case s.granted != s.v:
			s.next, s.version, s.fair, s.late = 0, 0, false, false
			s.v, s.reset, s.at = s.granted, true, rightsOpen
			return "finds other rights"
		case !s.added[s.next]:
			s.next, s.at = 0, rightsNext
		case r.looksFirst:
			s.at = rightsRow
		default:
			s.at = rightsGive
		}
		return "finds the same rights"
	}
	s.give()
	s.at = rightsNext
	return "gives the frame"
}

var (
	errLeaked = errors.New("a row was given that was read after the viewer had lost it")
	errResets = errors.New("more RESETs than changes of rights")
)

func (r rights) model() modelcheck.Model[rightsState] {
	return modelcheck.Model[rightsState]{
		Start: rightsState{sets: r.sets, granted: r.sets[0] || r.sets[1]},
		Processes: []modelcheck.Process[rightsState]{
			{Name: "administrator 1", Step: r.change(0)},
			{Name: "administrator 2", Step: r.change(1)},
			{Name: "customer", Step: rightsMessage},
			{Name: "query", Step: r.refresh},
			{Name: "hub", Step: r.follow},
			{Name: "hub", Step: r.handFirst},
			{Name: "stream", Step: r.stream},
		},
		Always: func(s rightsState) error {
			switch {
			case s.leaked:
				return errLeaked
			case s.resets > s.changes:
				return errResets
			}
			return nil
		},
		Ends: func(s rightsState) bool {
			return s.done == [2]bool{true, true} && s.stands && s.told == s.has() && s.v == s.told && (!s.told || s.known == s.messages)
		},
	}
}

func TestAStreamHoldsToTheRightsOfTheMoment(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]rights{
		"lost":              {sets: [2]bool{true, false}},
		"lost and regained": {sets: [2]bool{true, false}, to: [2]bool{false, true}},
		"lost by two":       {sets: [2]bool{true, true}},
		"won":               {to: [2]bool{true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proves(t, r.model())
		})
	}
}

func TestRightsFaultsAreCaught(t *testing.T) {
	t.Parallel()
	lost := [2]bool{true, false}
	for name, c := range map[string]struct {
		rights
		want error
		most int
	}{
		"rights looked at before the row is read": {rights{sets: lost, looksFirst: true}, errLeaked, 18},
		"handed on before it is observed":         {rights{sets: lost, handsFirst: true}, modelcheck.ErrStuck, 30},
		"read beyond the hub":                     {rights{sets: lost, beyond: true}, errLeaked, 16},
		"the hub is not awaited":                  {rights{sets: lost, noAwait: true}, modelcheck.ErrStuck, 30},
		"not asked again":                         {rights{sets: lost, noAgain: true}, errLeaked, 10},
		"refreshes are not serialised":            {rights{sets: lost, torn: true}, errLeaked, 19},
		"two changes at once":                     {rights{sets: [2]bool{true, true}, skewed: true}, modelcheck.ErrStuck, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catches(t, c.model(), c.want, c.most)
		})
	}
}
