// Package stream lets a subscription resolver end its stream with an error that the
// caller sees, after the resolver has returned its channel.
//
//	go func() {
//		defer close(events)
//		if err := feed.Follow(ctx, events); err != nil {
//			stream.Fail(ctx, err) // before the channel is closed
//		}
//	}()
//
// The transport sends the error in place of "complete", through the error presenter: a
// *fault.Error reaches the caller with its code and cursor, anything else as INTERNAL. A
// stream that ends without Fail completes.
//
// A goroutine that waits for events holds some 4.5 kB for every subscriber. A resolver
// whose stream can be polled leaves the waiting to the transport:
//
//	if wake, driven := stream.Drive(ctx, source); driven {
//		source.onEvent(wake)
//		return events, nil
//	}
package stream

import (
	"context"
	"sync/atomic"
)

// Source is a stream that is asked for what comes next. Its methods are called by
// one goroutine at a time.
type Source interface {
	// Next puts one value into the channel that the resolver returned, which is
	// empty, or closes it. It reports false when there is nothing to put yet; the
	// source then calls wake once there may be.
	Next() bool
	// Passed is the cursor of the value before the one that Next put last: from there
	// a subscriber goes on who did not get that one. It is empty where there is none.
	Passed() string
	// Close is the last call; the stream's context has ended.
	Close()
}

type key struct{}

// End is the transport's end of a stream.
type End struct {
	err    atomic.Pointer[error]
	wake   func()
	source Source
}

// NewContext returns a context whose stream ends in the End returned. It is for
// transports. wake tells that Ready is worth another call; it is called from
// anywhere and must not block. Where it is nil the resolvers wait by themselves.
func NewContext(ctx context.Context, wake func()) (context.Context, *End) {
	end := &End{wake: wake}
	return context.WithValue(ctx, key{}, end), end
}

func endOf(ctx context.Context) *End {
	end, _ := ctx.Value(key{}).(*End)
	return end
}

// Drive hands the transport of ctx a stream to ask, before the resolver returns
// its channel, which has room for one. It reports false where nobody will ask.
func Drive(ctx context.Context, source Source) (wake func(), driven bool) {
	end := endOf(ctx)
	if end == nil || end.wake == nil {
		return nil, false
	}
	end.source = source
	return end.wake, true
}

// Ready reports whether reading the stream's channel will do something: give a
// value, end, or wait where the resolver has a goroutine of its own.
func (e *End) Ready() bool { return e.source == nil || e.source.Next() }

// Passed is the cursor before what the stream gave last, empty where it has none.
func (e *End) Passed() string {
	if e.source == nil {
		return ""
	}
	return e.source.Passed()
}

// Close releases what the stream holds. It must be called, after its context has
// ended.
func (e *End) Close() {
	if e.source != nil {
		e.source.Close()
	}
}

// Fail says that the stream of ctx ends with err. It does nothing when err is
// nil or ctx belongs to no stream, where there is nobody to tell. The first error
// stays; it is safe for concurrent use.
func Fail(ctx context.Context, err error) {
	if end := endOf(ctx); end != nil && err != nil {
		end.err.CompareAndSwap(nil, &err)
	}
}

// Err returns the error the stream ended with, nil when there is none.
func (e *End) Err() error {
	if err := e.err.Load(); err != nil {
		return *err
	}
	return nil
}
