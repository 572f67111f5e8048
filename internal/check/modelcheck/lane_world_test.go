package modelcheck_test

import (
	"errors"
	"testing"

	"parley/internal/channel"
	"parley/internal/check/modelcheck"
)

// What befalls the workers of lane_test.go, and what must hold all the same.

// carry is the carrier's part of a call: it answers the worker that waits.
func (w laneWorld) carry(i int8, r channel.Outcome) func(*laneState) string {
	return func(s *laneState) string {
		me := &s.workers[i]
		if me.at != laneCalling || !w.reach(s, me.call, r) {
			return ""
		}
		me.at, me.result = laneAnswered, r
		return map[channel.Outcome]string{
			channel.Accepted: "takes ", channel.Rejected: "rejects ", channel.Throttled: "puts off ",
		}[r] + me.call.String()
	}
}

// reach is a request's arrival. Whether a carrier is busy has nothing to do with
// the key; what it said of a key it says again.
func (w laneWorld) reach(s *laneState, c laneCall, r channel.Outcome) bool {
	taken, rejected := &s.taken[c.message][c.attempt], &s.rejected[c.message][c.attempt]
	switch r {
	case channel.Accepted:
		if *rejected {
			return false
		}
		if !*taken || !w.keyed {
			s.got[c.message]++
		}
		*taken = true
	case channel.Rejected:
		if *taken {
			return false
		}
		*rejected = true
	}
	return true
}

// hang is the end of Messenger.callTimeout: the request may still arrive.
func (w laneWorld) hang(i int8) func(*laneState) string {
	return func(s *laneState) string {
		me := &s.workers[i]
		if me.at != laneCalling {
			return ""
		}
		me.at, me.result = laneAnswered, channel.Unknown
		s.adrift[me.call.message][me.call.attempt] = true
		return "waits no longer for " + me.call.String()
	}
}

// die is a process that ends: its transaction is undone, its request goes on.
func (w laneWorld) die(i int8) func(*laneState) string {
	return func(s *laneState) string {
		me := &s.workers[i]
		if me.at == laneIdle || s.deaths == 0 {
			return ""
		}
		s.deaths--
		s.everLost = true
		if me.at == laneCalling {
			s.adrift[me.call.message][me.call.attempt] = true
		}
		if s.lane == i+1 {
			s.lane = 0
		}
		*me = laneWorker{call: laneNone}
		return "dies"
	}
}

// drift is a request that nobody waits for any more: it arrives, or never does.
func (w laneWorld) drift(arrives bool) func(*laneState) string {
	return func(s *laneState) string {
		for m := range s.adrift {
			for k := range s.adrift[m] {
				if !s.adrift[m][k] {
					continue
				}
				c := laneCall{message: int8(m), attempt: int8(k)}
				s.adrift[m][k] = false
				if arrives && w.reach(s, c, channel.Accepted) {
					return "delivers late, and the carrier takes, " + c.String()
				}
				return "loses the request for " + c.String()
			}
		}
		return ""
	}
}

// expire is the clock: a lease runs out, or a lane has rested.
func (w laneWorld) expire(s *laneState) string {
	switch {
	case s.db.holder == 0 || s.db.expired || s.lane != 0:
		return ""
	case s.db.holder == laneResting:
		s.db.expired = true
		return "the lane has rested"
	case s.workers[s.db.holder-1].at == laneIdle: // dead
	case s.expires == 0:
		return ""
	default:
		s.expires--
	}
	s.db.expired, s.everLost = true, true
	return "the lease runs out"
}

// sweep is Messenger.SweepLanes.
func (w laneWorld) sweep(s *laneState) string {
	if !w.sweeps || s.db.first() == laneNone || s.db.jobs > 0 || s.db.holder != 0 && !s.db.expired {
		return ""
	}
	s.db.wake()
	return "wakes the lane"
}

// send is Messenger.queue for the second message.
func (w laneWorld) send(s *laneState) string {
	if !s.unsent {
		return ""
	}
	s.unsent = false
	s.db.attempts[1][0].status = laneQueued
	s.db.wake()
	return "sends message 2"
}

var (
	errGotTwice = errors.New("the customer got a message twice")
	errCalled   = errors.New("a carrier without keys was called twice for one attempt")
	errDisorder = errors.New("message 1 was called for after message 2")
	errHasty    = errors.New("an attempt was given up although its worker lives and its lease has not run out")
	errFalse    = errors.New("a message is shown as FAILED that the customer got, or as SENT that the carrier never took")
)

func (w laneWorld) holds(s laneState) error {
	for m := range s.got {
		shown := s.db.attempts[m][1].status
		if shown == laneNoAttempt {
			shown = s.db.attempts[m][0].status
		}
		switch {
		case s.got[m] > 1:
			return errGotTwice
		case shown == laneFailed && s.got[m] > 0, shown == laneSent && s.got[m] == 0:
			return errFalse
		case !w.keyed && (s.calls[m][0] > 1 || s.calls[m][1] > 1):
			return errCalled
		}
	}
	if s.disorder {
		return errDisorder
	}
	if s.hasty {
		return errHasty
	}
	return nil
}

func (w laneWorld) model() modelcheck.Model[laneState] {
	type process = modelcheck.Process[laneState]
	start := laneState{unsent: !w.sent, deaths: w.deaths, expires: w.expires}
	start.db.attempts[0][0].status = laneQueued
	start.db.jobs = 1
	if w.sent {
		start.db.attempts[1][0].status = laneQueued
	}
	m := modelcheck.Model[laneState]{
		Start: start,
		Processes: []process{
			{Name: "agent", Step: w.send},
			{Name: "clock", Step: w.expire},
			{Name: "sweep", Step: w.sweep},
			{Name: "network", Step: w.drift(true)},
			{Name: "network", Step: w.drift(false)},
		},
		Always: w.holds,
		Ends: func(s laneState) bool {
			return !s.unsent && s.db.first() == laneNone && s.workers[0].at == laneIdle && s.workers[1].at == laneIdle
		},
	}
	for i, name := range []string{"worker 1", "worker 2"} {
		i := int8(i)
		m.Start.workers[i].call = laneNone
		m.Processes = append(m.Processes,
			process{Name: name, Step: w.work(i)}, process{Name: name, Step: w.die(i)},
			process{Name: name, Step: w.hang(i)})
		for _, r := range []channel.Outcome{channel.Accepted, channel.Rejected, channel.Throttled} {
			m.Processes = append(m.Processes, process{Name: "carrier", Step: w.carry(i, r)})
		}
	}
	return m
}

func TestALaneSendsEachMessageOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]laneWorld{
		"no sweep is needed when nothing is lost": {keyed: true},
		"keyed":                  {keyed: true, sent: true, sweeps: true, deaths: 1, expires: 1},
		"keyed, two leases lost": {keyed: true, sent: true, sweeps: true, expires: 2},
		"keyless":                {sweeps: true, deaths: 2, expires: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proves(t, w.model())
		})
	}
}

func TestLaneFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		laneWorld
		want error
		most int
	}{
		"lease not checked":          {laneWorld{unchecked: true, keyed: true, sweeps: true, expires: 2}, errGotTwice, 40},
		"lane taken in spite of it":  {laneWorld{robs: true}, errHasty, 20},
		"SENDING not committed":      {laneWorld{unsaid: true, sweeps: true, deaths: 1, expires: 1}, errCalled, 20},
		"keyless sent again":         {laneWorld{repeats: true, sweeps: true, deaths: 1, expires: 1}, errCalled, 20},
		"put off with the lane lost": {laneWorld{anyone: true, keyed: true, sweeps: true, expires: 1}, errGotTwice, 30},
		"put off from UNKNOWN":       {laneWorld{anyone: true, sweeps: true, expires: 1}, errDisorder, 30},
		"repeated under a new key":   {laneWorld{newKey: true, keyed: true, sweeps: true, deaths: 1, expires: 1}, errGotTwice, 30},
		"released a moment later":    {laneWorld{leaves: true, keyed: true}, modelcheck.ErrStuck, 20},
		"a death and no sweep":       {laneWorld{keyed: true, deaths: 1, expires: 1}, modelcheck.ErrStuck, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catches(t, c.model(), c.want, c.most)
		})
	}
}
