// Package stream lets a subscription resolver end its stream with an error that
// the caller sees, after the resolver has returned its channel.
//
//	go func() {
//		defer close(events)
//		if err := feed.Follow(ctx, events); err != nil {
//			stream.Fail(ctx, err) // before the channel is closed
//		}
//	}()
//
// The transport sends the error in place of "complete", through the error
// presenter: a *fault.Error reaches the caller with its code and cursor,
// anything else as INTERNAL. A stream that ends without Fail completes.
package stream

import (
	"context"
	"sync/atomic"
)

type key struct{}

// End is where a stream's error is kept until the transport reads it. It is
// safe for concurrent use; the first error stays.
type End struct{ err atomic.Pointer[error] }

// NewContext returns a context whose stream ends in the End returned. It is for
// transports.
func NewContext(ctx context.Context) (context.Context, *End) {
	end := &End{}
	return context.WithValue(ctx, key{}, end), end
}

// Fail says that the stream of ctx ends with err. It does nothing when err is
// nil or ctx belongs to no stream, where there is nobody to tell.
func Fail(ctx context.Context, err error) {
	if end, _ := ctx.Value(key{}).(*End); end != nil && err != nil {
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
