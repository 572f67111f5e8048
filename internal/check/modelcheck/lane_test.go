package modelcheck_test

import (
	"fmt"
	"slices"

	"parley/internal/channel"
)

// The lane's lease (message: Drain, lane.step with take, settle, pick, rest and
// release, Messenger.SweepLanes): two workers on one conversation and a carrier
// that is called outside of transactions.
//
// A transaction that renews the lease is one step: it locks the lane's row, if
// that is still the worker's, and the conversation's before it looks at the
// queue, so that nobody sees it half done. One that takes the lane is two: its
// look at the queue (lane.first) comes before the conversation's lock.
//
// Bounds: two messages, the second sent at any time; two attempts each, since
// mostThrottled is 2 here; the carrier may take, refuse for good, put off, or be
// heard of too late; a lease runs out, a worker dies and a request is delivered
// late as often as laneWorld says.

// laneWorld is what befalls the workers, and what is wrong with their code.
type laneWorld struct {
	keyed   bool // Provider.TakesKey
	deaths  int8
	expires int8 // how often a lease runs out under its holder
	sweeps  bool
	sent    bool // both messages are, at first

	unchecked bool // fault: lease not checked, in renew
	robs      bool // fault: lease not checked, in take
	unsaid    bool // fault: SENDING not committed before the call
	repeats   bool // fault: an attempt that hangs is sent again without a key
	anyone    bool // fault: an answer puts off, though its lane was lost
	newKey    bool // fault: a repeated call is put off under a new key
	leaves    bool // fault: the lane is released after the transaction that found it empty
}

const laneMost = 2 // mostThrottled

type laneAt int8

const (
	laneIdle     laneAt = iota
	laneLooked          // took the lane, read the first of the queue, not committed
	laneCalling         // the carrier has not answered
	laneAnswered        // it has, or was waited for too long
	laneLeaving         // only in a fault
)

// laneStatus is a channel.Status, small: an index of laneStatuses.
type laneStatus int8

const (
	laneNoAttempt laneStatus = iota
	laneQueued
	laneSending
	laneUnknown
	laneSent
	laneFailed
)

var laneStatuses = []channel.Status{"", channel.Queued, channel.Sending, channel.Unsettled, channel.Sent, channel.Failed}

// after is channel.Status.After.
func (s laneStatus) after(report laneStatus) laneStatus {
	return laneStatus(slices.Index(laneStatuses, laneStatuses[s].After(laneStatuses[report])))
}

type laneAttempt struct {
	status    laneStatus
	throttled int8
}

// laneDB is what transactions read and write.
type laneDB struct {
	attempts [2][2]laneAttempt
	holder   int8 // lanes.token: a worker from 1, laneResting, or 0 for no row
	expired  bool // lanes.leased_until has passed
	jobs     int8 // drain_lane jobs that wait for a worker
}

const laneResting = 9

// laneCall is the attempt that a worker calls for; message -1 for none.
type laneCall struct {
	message, attempt int8
	status           laneStatus // at the look
	again            bool       // it was called before, by whomever
}

var laneNone = laneCall{message: -1}

type laneWorker struct {
	at     laneAt
	call   laneCall
	result channel.Outcome
}

type laneState struct {
	db       laneDB
	lane     int8 // the worker whose open transaction has taken the lane, from 1
	workers  [2]laneWorker
	unsent   bool // the second message is still to come
	deaths   int8 // left
	expires  int8
	everLost bool // a lease has run out or a worker has died

	calls    [2][2]int8 // made for each attempt, counted to 2
	adrift   [2][2]bool // a request is under way, with nobody waiting for the answer
	taken    [2][2]bool // by the carrier
	rejected [2][2]bool
	got      [2]int8 // how often the customer got each message
	disorder bool
	hasty    bool
}

// first is lane.first.
func (db *laneDB) first() laneCall {
	for m := range db.attempts {
		for k, a := range db.attempts[m] {
			if a.status == laneQueued || a.status == laneSending {
				return laneCall{message: int8(m), attempt: int8(k), status: a.status}
			}
		}
	}
	return laneNone
}

func (db *laneDB) latest(c laneCall) bool {
	return c.attempt == 1 || db.attempts[c.message][1].status == laneNoAttempt
}

// move is moveAttempt.
func (db *laneDB) move(c laneCall, to laneStatus) {
	a := &db.attempts[c.message][c.attempt]
	a.status = a.status.after(to)
}

// hold writes the lane's row: a worker from 1, laneResting or 0 for none.
func (db *laneDB) hold(by int8) { db.holder, db.expired = by, false }

// work is Messenger.Drain, run by a job.
func (w laneWorld) work(i int8) func(*laneState) string {
	return func(s *laneState) string {
		me := &s.workers[i]
		switch me.at {
		case laneIdle:
			return w.take(s, i)
		case laneLooked: // Service.Load waits for nobody here: no step ends with that lock
			s.lane = 0
			s.db.hold(i + 1)
			return w.pick(s, i, me.call)
		case laneAnswered:
			return w.settle(s, i)
		case laneLeaving:
			s.db.hold(0)
			*me = laneWorker{call: laneNone}
			return "releases the lane"
		}
		return ""
	}
}

// take is lane.take, then lane.first.
func (w laneWorld) take(s *laneState, i int8) string {
	switch {
	case i == 1 && s.workers[0].at == laneIdle:
		return "" // worker 1 does it: they are alike
	case s.db.jobs == 0 || s.lane != 0 || s.db.holder == laneResting && !s.db.expired:
		return "" // no job, an open transaction, or the job is snoozed
	case s.db.holder != 0 && !s.db.expired && !w.robs:
		s.db.jobs--
		return "finds the lane held, and ends"
	}
	s.db.jobs--
	s.lane = i + 1
	s.workers[i] = laneWorker{at: laneLooked, call: s.db.first()}
	return "takes the lane and looks: " + s.workers[i].call.String()
}

// pick is lane.pick after its first look, the commit, and what Drain does next.
func (w laneWorld) pick(s *laneState, i int8, c laneCall) string {
	me := &s.workers[i]
	for c.status == laneSending && !w.keyed && !w.repeats { // waiting.judge
		s.db.move(c, laneUnknown)
		s.hasty = s.hasty || !s.everLost
		c = s.db.first()
	}
	if c == laneNone {
		*me = laneWorker{call: laneNone}
		if w.leaves {
			me.at = laneLeaving
		} else if s.db.holder == i+1 {
			s.db.hold(0) // release
		}
		return "finds nothing to send"
	}
	c.again = c.status == laneSending
	if !w.unsaid {
		s.db.move(c, laneSending)
	}
	c.status = 0
	*me = laneWorker{at: laneCalling, call: c}
	s.disorder = s.disorder || c.message == 0 && s.calls[1] != [2]int8{}
	if n := &s.calls[c.message][c.attempt]; *n == 0 || !w.keyed {
		*n = min(*n+1, 2)
	}
	return "commits SENDING and calls for " + c.String()
}

// settle is lane.step with renew: lane.settle, then rest or pick.
func (w laneWorld) settle(s *laneState, i int8) string {
	me := &s.workers[i]
	mine := s.db.holder == i+1
	if mine && s.lane != 0 {
		return ""
	}
	held := mine || w.unchecked
	if mine {
		s.db.hold(i + 1) // renew
	}
	wait := w.apply(&s.db, me.call, me.result, held)
	did := fmt.Sprintf("leaves %s %s", me.call, laneStatuses[s.db.attempts[me.call.message][me.call.attempt].status])
	switch {
	case !held:
		*me = laneWorker{call: laneNone}
		return did + ", its lane lost"
	case wait:
		*me = laneWorker{call: laneNone}
		if mine {
			s.db.hold(laneResting) // rest
		}
		s.db.wake() // the job is snoozed
		return did + ", puts it off"
	}
	return did + ", " + w.pick(s, i, s.db.first())
}

// wake adds a job; two are as good as more.
func (db *laneDB) wake() { db.jobs = min(db.jobs+1, 2) }

// apply is lane.settle.
func (w laneWorld) apply(db *laneDB, c laneCall, r channel.Outcome, held bool) (wait bool) {
	a := &db.attempts[c.message][c.attempt]
	open := a.status == laneSending || a.status == laneUnknown || w.unsaid
	untaken := r == channel.Throttled || r == channel.Unreachable
	switch {
	case r == channel.Accepted:
		db.move(c, laneSent)
	case !held && w.keyed && !w.anyone:
		// Whoever has the lane calls again under the same key, and learns more.
	case r == channel.Unknown:
		db.move(c, laneUnknown)
	case !open:
		// It went out by another call under the same key.
	case untaken && c.again && !w.newKey: // the call before may have been taken
		if a.throttled++; a.throttled < laneMost {
			return true
		}
		db.move(c, laneUnknown)
	case untaken && (held || w.anyone) && db.latest(c) && a.throttled+1 < laneMost: // putOff
		db.move(c, laneFailed)
		db.attempts[c.message][1] = laneAttempt{laneQueued, a.throttled + 1}
		db.wake()
		return true
	default:
		db.move(c, laneFailed)
	}
	return false
}

func (c laneCall) String() string {
	if c == laneNone {
		return "nothing"
	}
	again := ""
	if c.again {
		again = " again"
	}
	return fmt.Sprintf("message %d attempt %d%s", c.message+1, c.attempt+1, again)
}
