package live

import (
	"context"
	"errors"

	"parley/internal/desk/feed"
	transport "parley/internal/ground/stream"
	"parley/internal/ground/viewer"
)

// pump gives the frames of one subscription. Where the transport asks for them
// nothing waits, else a goroutine does.
type pump[T frame] struct {
	stream[T]
	ctx    context.Context
	frames chan T
	end    End
	wake   func() // nil where a goroutine waits

	start    *standing[T]
	reader   *feed.Stream // nil until the first frame of the standing is given
	held     *held[T]
	turned   []T  // frames of one event that wait to be given
	complete bool // the last frame was given

	given, passed string // cursors of the frame that was given last, and of the one before
}

// errComplete is how a stream ends that has told all there is to tell.
var errComplete = errors.New("live: complete")

func (p *pump[T]) begin() {
	var driven bool
	if p.wake, driven = transport.Drive(p.ctx, p); !driven {
		go p.pour()
	}
}

// pour gives frame after frame until the stream ends.
func (p *pump[T]) pour() {
	defer p.Close()
	for {
		frame, err := p.next()
		if err != nil || !give(p.ctx, p.frames, frame) {
			p.stop(err)
			return
		}
	}
}

// Next implements stream.Source.
func (p *pump[T]) Next() bool {
	frame, err := p.next()
	switch {
	case errors.Is(err, feed.ErrIdle):
		return false
	case err != nil:
		p.stop(err)
	default:
		p.passed, p.given = p.given, frame.at()
		p.frames <- frame
	}
	return true
}

// Passed implements stream.Source.
func (p *pump[T]) Passed() string { return p.passed }

// Close implements stream.Source.
func (p *pump[T]) Close() {
	if p.reader != nil {
		p.reader.Close()
	}
}

func (p *pump[T]) stop(err error) {
	if p.ctx.Err() == nil && !errors.Is(err, errComplete) {
		p.end(err)
	}
	close(p.frames)
}

// next returns the next frame until the last was given.
func (p *pump[T]) next() (frame T, err error) {
	if p.complete {
		return frame, errComplete
	}
	frame, err = p.further()
	p.complete = err == nil && p.last != nil && p.last(frame)
	return frame, err
}

// further returns the next frame: where the stream stands, then one for the
// events that come, until it must be opened anew.
func (p *pump[T]) further() (frame T, err error) {
	for p.reader != nil {
		if len(p.turned) > 0 {
			frame, p.turned = p.turned[0], p.turned[1:]
			return frame, nil
		}
		anew, err := p.follow()
		if err != nil {
			return frame, err
		}
		if anew != nil {
			p.Close()
			p.reader, p.turned = nil, nil
			if p.start, err = p.stand(p.ctx, anew, feed.Reset, nil); err != nil {
				return frame, err
			}
		} else if frame, due := p.held.release(); due {
			return frame, nil
		}
	}
	p.read(p.start.from)
	p.held = hold(p.pace, p.wake)
	return p.start.first, p.ctx.Err()
}

// read follows the log from what comes after a position.
func (p *pump[T]) read(after int64) {
	v := p.start.v
	p.reader = p.desk.Hub.Follow(after, p.keys(v), func(e *feed.Event) bool {
		if e.Cause == feed.DirectoryChanged {
			return p.stale != nil || e.MayMoveRights(v.AgentID)
		}
		return p.want(v, e)
	})
	if p.wake != nil {
		p.reader.Notify(p.wake)
	}
}

// turnAt has the stream go on behind a change of lookups, about what it is about now.
func (p *pump[T]) turnAt(e *feed.Delivery) (anew bool, err error) {
	p.Close() // before what it wants changes
	if p.turned, anew, err = p.turn(p.ctx, p.start.v, e); err == nil {
		p.read(e.Position)
	}
	return anew, err
}

// follow takes one event, or finds the frame held due. It returns the viewer for
// whom the stream must be opened anew, nil when it goes on.
func (p *pump[T]) follow() (anew *viewer.Viewer, err error) {
	e, err := p.held.next(p.ctx, p.reader)
	if err != nil {
		return nil, err
	}
	var stale bool
	if e != nil && e.Cause == feed.LookupsChanged {
		stale, err = p.turnAt(e)
	} else {
		stale, err = p.take(p.ctx, p.start, e, p.held)
	}
	if err != nil {
		return nil, err
	}
	// After the rows were read: what they hold may be newer than the event, and
	// newer than the viewer's right to see it.
	now, err := p.desk.Directory.Viewer(p.start.v.Username)
	if err != nil || !stale && now.Equal(p.start.v) {
		return nil, err
	}
	return now, nil
}
