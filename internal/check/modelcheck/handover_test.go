package modelcheck_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/check/modelcheck"
)

// From replay to live (feed: Hub.follow, checkHead, deliver, join; Stream.replay,
// readPage, offer, take, Next): a stream reads what the hub has handed on, joins,
// and reads what came in between, while the hub hands on and the log is trimmed.
// A reader who is told RESYNC_REQUIRED with a cursor goes on from there.
//
// Bounds: four events, all but the third wanted; pages of two; room for one event
// that waits; the log is trimmed at any time and to any length.

const (
	handEvents  = 4
	handWaiting = 1 // mostWaiting
)

func handWanted(p int8) bool { return p != 3 }

type handAt int8

const (
	handGiving  handAt = iota // Next: gives what is pending, else fills
	handLooked                // replay: has looked at the hub's position
	handJoining               // only in a fault: has joined, not yet looked
	handGap                   // replay: has joined
	handOver                  // told RESYNC_REQUIRED without a cursor
)

// handSet is a set of positions.
type handSet uint8

func (e *handSet) add(p int8) { *e |= 1 << p }

func (e *handSet) first() (p int8) {
	for *e&(1<<p) == 0 {
		p++
	}
	*e &^= 1 << p
	return p
}

type handState struct {
	head, trimmed int8 // of the log
	unread        bool // what was removed the hub or the reader had not had

	position int8    // Hub.position
	page     handSet // what follow has read
	missed   bool    // follow found that what comes next is gone

	at      handAt
	upTo    int8
	live    bool // in Hub.streams
	joined  bool
	waiting handSet
	slow    bool // ended by offer
	cut     bool // ended by checkHead
	pending handSet
	read    int8
	given   int8
	looked  int8 // Stream.looked

	told  int8 // history: what the reader has
	wrong int8 // index of handErrs
}

var handErrs = []error{
	nil,
	errors.New("an event was given twice, or one from before the cursor"),
	errors.New("an event was left out"),
	errors.New("an event was given that the hub has not handed on"),
	errors.New("RESYNC_REQUIRED although nothing was removed unread"),
}

const (
	handTwice int8 = iota + 1
	handMissed
	handBeyond
	handNeedless
)

// handover is where the stream begins, and what is wrong with the code.
type handover struct {
	after int8 // the cursor; it may be ahead of the hub

	lateJoin  bool // fault: joins after it has read the hub's position
	lateLook  bool // fault: reads the hub's position after it has joined
	noGap     bool // fault: what came before the joining is not read
	beyond    bool // fault: replays to the log's end
	drops     bool // fault: what does not fit is dropped
	readAhead bool // fault: the cursor of RESYNC_REQUIRED is what was read
	blind     bool // fault: readPage does not look for a hole
	blindHub  bool // fault: follow does not look for a hole
	noDedupe  bool // fault: nobody compares positions with the cursor
}

func handCommit(s *handState) string {
	if s.head == handEvents {
		return ""
	}
	s.head++
	return fmt.Sprintf("commits event %d", s.head)
}

func handTrim(s *handState) string {
	if s.trimmed == s.head {
		return ""
	}
	s.trimmed++
	s.unread = s.unread || s.trimmed > s.told || s.trimmed > s.position
	return fmt.Sprintf("removes event %d", s.trimmed)
}

// log is readLog: a page of what is there after one position and up to another.
func (s *handState) log(after, upTo int8) (page handSet) {
	for p, n := max(after, s.trimmed)+1, 0; p <= upTo && n < 2; p++ {
		page.add(p)
		n++
	}
	return page
}

// follow is Hub.follow.
func (h handover) follow(s *handState) string {
	switch {
	case s.missed: // checkHead
		s.missed, s.position = false, s.head
		if s.live {
			s.live, s.cut = false, true
		}
		return fmt.Sprintf("ends every stream, and stands at %d", s.position)
	case s.page != 0:
		return h.deliver(s)
	case s.head == s.position:
		return ""
	}
	s.page = s.log(s.position, s.head)
	if s.page&(1<<(s.position+1)) == 0 && !h.blindHub || s.page == 0 {
		s.page, s.missed = 0, true
		return "finds that what comes next was removed"
	}
	return "reads a page"
}

// deliver is Hub.deliver, under the hub's lock, with index.concerned and
// Stream.offer.
func (h handover) deliver(s *handState) string {
	for s.page != 0 {
		p := s.page.first()
		s.position = p
		if !s.live || !handWanted(p) || s.looked >= p && !h.noDedupe {
			continue
		}
		s.looked = p
		switch {
		case s.waiting.size() < handWaiting:
			s.waiting.add(p)
		case !h.drops:
			s.live, s.slow = false, true
		}
	}
	return fmt.Sprintf("hands on up to %d", s.position)
}

func (e handSet) size() (n int) {
	for ; e != 0; e &= e - 1 {
		n++
	}
	return n
}

// next is Stream.Next, called again and again.
func (h handover) next(s *handState) string {
	switch {
	case s.at == handOver:
		return ""
	case s.at == handLooked:
		return h.replay(s)
	case s.at == handJoining:
		s.at, s.upTo = handGap, s.position
		return "looks at the hub, late"
	case s.at == handGap && s.read < s.upTo && !h.noGap:
		return h.readPage(s)
	case s.at == handGap:
		s.at = handGiving
		return "is live"
	case s.pending != 0:
		return s.give()
	case !s.joined:
		s.at, s.upTo = handLooked, s.position // hub.Position
		if h.beyond {
			s.upTo = s.head
		}
		return fmt.Sprintf("looks: the hub is at %d", s.position)
	}
	return h.take(s)
}

func (s *handState) give() string {
	p := s.pending.first()
	next := s.told + 1
	for !handWanted(next) {
		next++
	}
	switch {
	case p <= s.told:
		s.wrong = handTwice
	case p > next:
		s.wrong = handMissed
	case p > s.position:
		s.wrong = handBeyond
	}
	s.given, s.told = p, p
	return fmt.Sprintf("gives event %d", p)
}

// replay is Stream.replay after its look at the hub.
func (h handover) replay(s *handState) string {
	if s.read < s.upTo {
		s.at = handGiving
		return h.readPage(s)
	}
	s.live, s.joined, s.at = true, true, handGap // hub.join
	switch {
	case h.lateLook:
		s.at = handJoining
	case !h.lateJoin:
		s.upTo = s.position
	}
	return fmt.Sprintf("joins at %d", s.upTo)
}

func (h handover) readPage(s *handState) string {
	page := s.log(s.read, s.upTo)
	if (page&(1<<(s.read+1)) == 0 && !h.blind) || page == 0 {
		return s.over()
	}
	for page != 0 {
		s.read = page.first()
		if handWanted(s.read) {
			s.pending.add(s.read)
		}
	}
	return fmt.Sprintf("reads the log up to %d", s.read)
}

// over is errTrimmed.
func (s *handState) over() string {
	if !s.unread {
		s.wrong = handNeedless
	}
	s.at, s.live = handOver, false
	return "is told RESYNC_REQUIRED, without a cursor"
}

// take is Stream.take; a reader with a cursor then calls Hub.Follow again.
func (h handover) take(s *handState) string {
	switch {
	case s.waiting != 0:
		s.pending, s.waiting = s.waiting, 0
		return "takes what waits"
	case s.cut:
		return s.over()
	case s.slow:
		cursor := s.given
		if h.readAhead {
			cursor = s.looked
		}
		s.slow, s.joined, s.at = false, false, handGiving
		s.read, s.given, s.looked = cursor, cursor, cursor
		return fmt.Sprintf("is told RESYNC_REQUIRED, and goes on from %d", cursor)
	}
	return ""
}

func (h handover) model() modelcheck.Model[handState] {
	start := handState{read: h.after, given: h.after, looked: h.after, told: h.after, head: h.after}
	return modelcheck.Model[handState]{
		Start: start,
		Processes: []modelcheck.Process[handState]{
			{Name: "writer", Step: handCommit},
			{Name: "retention", Step: handTrim},
			{Name: "hub", Step: h.follow},
			{Name: "stream", Step: h.next},
		},
		Always: func(s handState) error { return handErrs[s.wrong] },
		Ends:   func(s handState) bool { return s.at == handOver || s.told == handEvents },
	}
}

func TestAStreamGoesLiveWithoutAHoleOrARepeat(t *testing.T) {
	t.Parallel()
	for _, after := range []int8{0, 2} {
		t.Run(fmt.Sprint("from ", after), func(t *testing.T) {
			t.Parallel()
			proves(t, handover{after: after}.model())
		})
	}
}

func TestHandoverFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handover
		want error
		most int
	}{
		"joined after the look at the hub":  {handover{lateJoin: true}, handErrs[handMissed], 12},
		"joined before it":                  {handover{lateLook: true}, handErrs[handTwice], 12},
		"the gap is not read":               {handover{noGap: true}, handErrs[handMissed], 12},
		"read beyond the hub":               {handover{beyond: true}, handErrs[handBeyond], 5},
		"what does not fit is dropped":      {handover{drops: true}, handErrs[handMissed], 17},
		"the cursor of what was handed on":  {handover{readAhead: true}, handErrs[handMissed], 17},
		"a hole is not seen by the stream":  {handover{blind: true}, handErrs[handMissed], 10},
		"a hole is not seen by the hub":     {handover{blindHub: true}, handErrs[handMissed], 10},
		"ahead of the hub, nobody compares": {handover{noDedupe: true, after: 2}, handErrs[handTwice], 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catches(t, c.model(), c.want, c.most)
		})
	}
}
