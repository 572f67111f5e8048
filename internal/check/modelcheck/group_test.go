package modelcheck_test

import "fmt"

// The group writer (store: Store.Write and outcome; writer.run, drain, gather,
// commit, attempt; group.run, item.absent): callers queue items, whose contexts
// may end, and one goroutine runs them together and answers.
//
// Bounds: three items, of which groupWorld says how they go; a group takes three;
// two contexts may end and the writer may be closed at any time; one transaction
// cannot begin, or one fails at its commit, having taken effect or not, or is not
// answered in time.

const groupItems = 3

// groupKind is how an item goes.
type groupKind int8

const (
	groupGood   groupKind = iota
	groupFails            // its own error, or a panic: its savepoint is undone
	groupRaces            // loses a deadlock among neighbours, is well alone
	groupSpoils           // ends the transaction, alone too
)

// groupAnswer is what Write returns.
type groupAnswer int8

const (
	groupNone groupAnswer = iota
	groupOK
	groupOwn     // the item's error
	groupGone    // ctx's error
	groupClosed  // ErrClosed
	groupBegin   // the transaction could not begin
	groupUnknown // errCommit
	groupSilent  // errNoAnswer
)

func (a groupAnswer) String() string {
	return [...]string{"nothing", "ok", "its own error", "its context's end", "ErrClosed", "no transaction", "a failed commit", "no answer in time"}[a]
}

type groupCaller int8

const (
	groupCalls   groupCaller = iota // Write: first select
	groupWaits                      // Write: second select
	groupOutcome                    // outcome: first select
	groupLooks                      // outcome: the writer has ended
	groupLeft                       // answered
)

type groupAt int8

const (
	groupIdle groupAt = iota
	groupGather
	groupStart
	groupRun
	groupCommit
	groupAnswering
	groupEnded
)

// groupList is a short queue of items.
type groupList struct {
	of [groupItems]int8
	n  int8
}

func (l *groupList) push(i int8) { l.of[l.n] = i; l.n++ }

func (l *groupList) pop() (i int8) {
	i = l.of[0]
	copy(l.of[:], l.of[1:])
	l.n--
	l.of[l.n] = 0
	return i
}

type groupState struct {
	caller  [groupItems]groupCaller
	over    [groupItems]bool // ctx has ended
	taken   [groupItems]bool // item.turn
	left    [groupItems]bool
	done    [groupItems]groupAnswer // item.done, a channel with room for one
	answer  [groupItems]groupAnswer
	queue   groupList
	closing bool

	at     groupAt
	batch  groupList // the items of this attempt
	rest   groupList // to be run singly after it
	run    int8      // items of the batch that ran
	shared bool
	ran    [groupItems]bool // in this attempt
	tx     [groupItems]bool // wrote in this transaction
	errs   [groupItems]groupAnswer
	failed groupAnswer // the attempt's error
	cannot int8        // transactions that will not begin
	broken int8        // transactions that will fail at their commit, or get no answer

	db    [groupItems]int8
	twice bool // two answers
	stale bool // an error of an attempt before
}

// groupWorld is how the items go, and what is wrong with the code.
type groupWorld struct {
	kinds [groupItems]groupKind

	broken int8 // commits that fail, or transactions that get no answer
	cannot int8 // transactions that do not begin

	early     bool // fault: answers before the commit
	unsaved   bool // fault: no savepoint
	reruns    bool // fault: runs again after a failed commit
	leaves    bool // fault: a caller leaves without looking whether its item was taken
	forgets   bool // fault: outcome does not look at done once the writer has ended
	goesOn    bool // fault: goes on in a transaction that was ended
	remembers bool // fault: errors of an attempt before are kept
}

// call is Store.Write, but for the ends of its selects that call's siblings are.
func (w groupWorld) call(i int8) func(*groupState) string {
	return func(s *groupState) string {
		switch {
		case s.caller[i] == groupCalls:
			s.queue.push(i)
			s.caller[i] = groupWaits
			return "queues"
		case s.caller[i] == groupLooks && s.done[i] == groupNone:
			return s.leave(i, groupClosed)
		case s.caller[i] != groupLeft && s.done[i] != groupNone:
			return s.leave(i, s.done[i])
		}
		return ""
	}
}

func (s *groupState) leave(i int8, a groupAnswer) string {
	s.caller[i], s.answer[i] = groupLeft, a
	return "returns " + a.String()
}

// quit is <-ctx.Done in Write.
func (w groupWorld) quit(i int8) func(*groupState) string {
	return func(s *groupState) string {
		switch {
		case !s.over[i]:
			return ""
		case s.caller[i] == groupCalls:
			return s.leave(i, groupGone)
		case s.caller[i] != groupWaits:
			return ""
		case !s.taken[i] || w.leaves: // item.turn.CompareAndSwap(waiting, left)
			s.left[i] = !s.taken[i]
			return s.leave(i, groupGone)
		}
		s.caller[i] = groupOutcome
		return "has to wait, its item was taken"
	}
}

// shut is <-closing and <-closed in Write and outcome.
func (w groupWorld) shut(i int8) func(*groupState) string {
	return func(s *groupState) string {
		switch {
		case s.caller[i] == groupCalls && s.closing:
			return s.leave(i, groupClosed)
		case s.at != groupEnded:
			return ""
		case w.forgets && (s.caller[i] == groupWaits || s.caller[i] == groupOutcome):
			return s.leave(i, groupClosed)
		case s.caller[i] == groupWaits || s.caller[i] == groupOutcome:
			s.caller[i] = groupLooks
			return "sees that the writer has ended"
		}
		return ""
	}
}

func groupEndContext(i int8) func(*groupState) string {
	return func(s *groupState) string {
		if s.over[i] || s.caller[i] == groupLeft {
			return ""
		}
		s.over[i] = true
		return "its context ends"
	}
}

func groupClose(s *groupState) string {
	s.closing = true
	return "closes the writer"
}

// write is the writer's goroutine.
func (w groupWorld) write(s *groupState) string {
	switch s.at {
	case groupIdle: // run's select, and drain
		switch {
		case s.queue.n > 0:
			s.batch.push(s.queue.pop())
			s.at = groupGather
			return fmt.Sprintf("takes item %d", s.batch.of[0]+1)
		case s.closing:
			s.at = groupEnded
			return "ends"
		}
		return ""
	case groupGather:
		if s.queue.n == 0 {
			s.shared, s.at = s.batch.n > 1, groupStart
			return w.begin(s, groupNone)
		}
		s.batch.push(s.queue.pop())
		return fmt.Sprintf("takes item %d too", s.batch.of[s.batch.n-1]+1)
	case groupStart:
		return w.begin(s, groupNone)
	case groupRun:
		return w.item(s)
	case groupCommit:
		return w.commit(s)
	case groupAnswering:
		return w.reply(s)
	}
	return ""
}

// begin is writer.begin and the start of attempt.
func (w groupWorld) begin(s *groupState, failed groupAnswer) string {
	if !w.remembers {
		s.errs = [groupItems]groupAnswer{}
	}
	s.tx, s.ran, s.run, s.failed, s.at = [groupItems]bool{}, [groupItems]bool{}, 0, failed, groupRun
	if failed != groupNone {
		return "cannot begin" + w.settle(s)
	}
	return "begins"
}

func (w groupWorld) refuse(s *groupState) string {
	if s.cannot == 0 || s.at != groupStart && (s.at != groupGather || s.queue.n > 0) {
		return ""
	}
	s.shared = s.shared || s.batch.n > 1
	s.cannot--
	return w.begin(s, groupBegin)
}

// item is group.run for the next item of the batch.
func (w groupWorld) item(s *groupState) string {
	if s.run == s.batch.n {
		s.at = groupCommit
		if w.early {
			s.at = groupAnswering
		}
		return "writes the tail"
	}
	i := s.batch.of[s.run]
	s.run++
	s.ran[i], s.errs[i] = true, groupNone
	did := fmt.Sprintf("runs item %d", i+1)
	s.taken[i] = s.taken[i] || !s.left[i]
	kind := w.kinds[i]
	switch {
	case s.over[i]: // absent
		s.errs[i] = groupGone
		return fmt.Sprintf("passes over item %d", i+1)
	case kind == groupGood, kind == groupRaces && !s.shared:
		s.tx[i] = true
	case kind == groupFails && s.shared:
		s.errs[i] = groupOwn
		s.tx[i] = w.unsaved // what it wrote before it failed
		did += ", which fails"
	case s.shared && w.goesOn:
		s.tx, s.errs[i] = [groupItems]bool{}, groupOwn
		did += ", which ends the transaction"
	default: // the transaction is undone
		s.errs[i], s.failed = groupOwn, groupOwn
		s.tx = [groupItems]bool{}
		did += ", which ends the transaction" + w.settle(s)
	}
	return did
}

// settle is what writer.commit does with an attempt that is over.
func (w groupWorld) settle(s *groupState) string {
	again := s.failed == groupOwn || w.reruns && s.failed == groupUnknown
	s.tx = [groupItems]bool{}
	if again && s.shared {
		s.rest, s.shared = s.batch, false
		w.single(s)
		return "; each will run singly"
	}
	s.at = groupAnswering
	return ""
}

func (w groupWorld) single(s *groupState) {
	s.batch = groupList{}
	s.batch.push(s.rest.pop())
	s.at = groupStart
}

// commit is tx.Commit.
func (w groupWorld) commit(s *groupState) string {
	s.take()
	if w.early {
		w.idle(s)
		return "commits"
	}
	return "commits" + w.settle(s)
}

// take is a commit's effect.
func (s *groupState) take() {
	for i, wrote := range s.tx {
		if wrote {
			s.db[i]++
		}
	}
}

// fail is a commit that reports an error: nobody knows whether it took effect.
func (w groupWorld) fail(how groupAnswer, took bool) func(*groupState) string {
	return func(s *groupState) string {
		atCommit := s.at == groupCommit
		if s.broken == 0 || !atCommit && (s.at != groupRun || how != groupSilent || took) {
			return ""
		}
		s.broken--
		if took {
			s.take()
		}
		s.failed = how
		return fmt.Sprintf("%s, and the commit took effect: %t%s", how, took, w.settle(s))
	}
}

// reply is the end of writer.commit.
func (w groupWorld) reply(s *groupState) string {
	did := "answers"
	for _, i := range s.batch.of[:s.batch.n] {
		a := s.errs[i]
		s.stale = s.stale || a != groupNone && !s.ran[i]
		switch {
		case s.failed == groupSilent:
			a = groupSilent
		case a != groupNone:
		case s.failed != groupNone:
			a = s.failed
		default:
			a = groupOK
		}
		s.twice = s.twice || s.done[i] != groupNone
		s.done[i] = a
		did += fmt.Sprintf(" item %d: %s;", i+1, a)
	}
	switch {
	case w.early:
		s.at = groupCommit
	case s.rest.n > 0:
		w.single(s)
	default:
		w.idle(s)
	}
	return did
}

// idle forgets the transaction.
func (w groupWorld) idle(s *groupState) {
	s.at, s.batch, s.rest, s.run, s.shared, s.failed = groupIdle, groupList{}, groupList{}, 0, false, groupNone
	s.ran, s.tx, s.errs = [groupItems]bool{}, [groupItems]bool{}, [groupItems]groupAnswer{}
}
