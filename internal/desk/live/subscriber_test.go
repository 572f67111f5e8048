package live_test

import (
	"context"
	"errors"
	"maps"
	"time"

	"pgregory.net/rapid"

	"parley/internal/desk/live"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// fold is a subscriber who folds what a stream tells over what a query said.
type fold interface {
	breakOff()
	// settle connects where there is no connection, and folds until the result is
	// what a query says and nothing more has come. It must get there in time.
	settle(r *rapid.T)
}

// state is what a subscriber shows, by whatever tells its parts apart.
type state map[string]string

type ctx = context.Context

// opened opens a stream with a context of its own.
func opened[T any](v *viewer.Viewer, open func(ctx) (<-chan T, error)) (<-chan T, func(), error) {
	c, leave := context.WithCancel(viewer.NewContext(context.Background(), v))
	frames, err := eitherWay(c, open)
	return frames, leave, err
}

type subscriber[T any] struct {
	*office
	username string
	what     string
	query    func(v *viewer.Viewer) (s state, cursor string, err error)
	open     func(v *viewer.Viewer, after *string, end live.End) (frames <-chan T, leave func(), err error)
	apply    func(s state, frame T) (next state, cursor string)

	state  state
	cursor *string // nil for one who must query
	moves  int     // changes of rights when it last settled

	frames <-chan T // nil when not connected
	ended  chan error
	leave  func()
}

func (s *subscriber[T]) breakOff() {
	if s.frames != nil {
		s.leave()
		s.frames = nil
	}
}

// connect goes on from the last cursor, or from a query when there is none. The
// error is a refusal, after which nothing is known.
func (s *subscriber[T]) connect() error {
	// A socket keeps the viewer of when it was opened, whatever rights have since
	// been changed.
	v := &viewer.Viewer{Username: s.username}
	if s.cursor == nil {
		now, err := s.Directory.Viewer(s.username)
		if err != nil {
			return err
		}
		var cursor string
		if s.state, cursor, err = s.query(now); err != nil {
			return err
		}
		s.cursor = &cursor
	}
	s.ended = make(chan error, 1)
	frames, leave, err := s.open(v, s.cursor, func(err error) { s.ended <- err })
	if err != nil {
		leave()
		s.cursor = nil
		return err
	}
	s.frames, s.leave = frames, leave
	return nil
}

func (s *subscriber[T]) settle(r *rapid.T) {
	late := time.After(*s.patience)
	for {
		want, _, refused := s.fresh()
		if refused != nil && !denied(refused) {
			r.Fatalf("%s of %s cannot be queried: %v", s.what, s.username, refused)
		}
		if s.frames == nil {
			if err := s.connect(); err != nil {
				s.requireSame(r, refused, err)
				break
			}
		}
		same := refused == nil && maps.Equal(want, s.state)
		frame, got, open := s.receive(same, late)
		switch {
		case got && open:
			s.fold(r, frame)
		case got:
			s.closed(r, refused)
		case same:
			s.moves = s.office.moves
			return
		default:
			*s.patience = time.Second
			r.Fatalf("%s of %s (%v) did not come to what a query says\nqueried %v\nfolded  %v", s.what, s.username, refused, want, s.state)
		}
		if s.frames == nil && refused != nil {
			break
		}
	}
	s.moves = s.office.moves
}

// receive returns what comes; at once when the fold is good already.
func (s *subscriber[T]) receive(same bool, late <-chan time.Time) (frame T, got, open bool) {
	if same {
		select {
		case frame, open = <-s.frames:
			return frame, true, open
		default:
			return frame, false, false
		}
	}
	select {
	case frame, open = <-s.frames:
		return frame, true, open
	case <-late:
		return frame, false, false
	}
}

func (s *subscriber[T]) fold(r *rapid.T, frame T) {
	before := s.cursor
	var cursor string
	s.state, cursor = s.apply(s.state, frame)
	s.cursor = &cursor
	from, err := s.Conversations.Cursors.Decode(*before)
	to, err2 := s.Conversations.Cursors.Decode(cursor)
	if err := errors.Join(err, err2); err != nil || to < from {
		r.Fatalf("%s of %s went from %d to %d: %v", s.what, s.username, from, to, err)
	}
}

// closed takes the stream's end: it must be a refusal, and one for which there
// was a reason.
func (s *subscriber[T]) closed(r *rapid.T, refused error) {
	why := <-s.ended
	if !denied(why) || refused == nil && s.moves == s.office.moves {
		r.Fatalf("%s of %s ended (its query: %v): %v", s.what, s.username, refused, why)
	}
	s.requireSame(r, refused, why)
	s.frames, s.cursor = nil, nil
	s.leave()
}

// requireSame compares a refusal with that of a query, unless rights have moved
// meanwhile and the query is answered again.
func (s *subscriber[T]) requireSame(r *rapid.T, refused, why error) {
	if refused != nil && fault.CodeOf(refused) != fault.CodeOf(why) {
		r.Fatalf("%s of %s: refused with %v, its query with %v", s.what, s.username, why, refused)
	}
}

func denied(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.Unauthenticated || code == fault.NotFound
}

func (s *subscriber[T]) fresh() (state, string, error) {
	v, err := s.Directory.Viewer(s.username)
	if err != nil {
		return nil, "", err
	}
	return s.query(v)
}
