package server_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/edge/server"
	"parley/internal/ground/stream"
)

// source is a stream that is asked; what is put into it comes out. A negative
// number makes it panic.
type source struct {
	ctx    context.Context
	wake   func()
	values chan int
	asking atomic.Int32
	closed atomic.Bool

	mu    sync.Mutex
	queue []int
	late  []int // comes when Next has just found nothing
}

func (s *schema) drive(ctx context.Context, field *ast.Field) graphql.ResponseHandler {
	src := &source{ctx: ctx, values: make(chan int, 1)}
	wake, driven := stream.Drive(ctx, src)
	if !driven {
		panic("nobody asks")
	}
	src.wake = wake
	s.sources <- src
	return func(context.Context) *graphql.Response {
		if value, ok := <-src.values; ok {
			return respond(map[string]any{field.Alias: value})
		}
		return nil
	}
}

func (s *source) put(values ...int) {
	s.mu.Lock()
	s.queue = append(s.queue, values...)
	s.mu.Unlock()
	s.wake()
}

func (s *source) putLate(values ...int) {
	s.mu.Lock()
	s.late = values
	s.mu.Unlock()
	s.wake()
}

func (s *source) Next() bool {
	if s.asking.Add(1) != 1 {
		panic("asked by two at once")
	}
	defer s.asking.Add(-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		close(s.values)
	case len(s.queue) == 0:
		if len(s.late) > 0 {
			s.queue, s.late = s.late, nil
			s.wake()
		}
		return false
	case s.queue[0] < 0:
		panic("secret panic")
	default:
		s.values <- s.queue[0]
		s.queue = s.queue[1:]
	}
	return true
}

func (s *source) Close() { s.closed.Store(true) }

func TestAStreamThatRestsIsWoken(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	c := b.connect(t)
	c.write(subscribe("a", `subscription { driven }`))
	src := <-b.schema.sources
	const writers, each = 4, 250
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for n := range each {
				src.put(n)
			}
		})
	}
	for range writers * each {
		c.read() // whenever it came, it was not forgotten
	}
	wg.Wait()
	src.put(1, 2)
	src.putLate(3)
	for _, n := range []int{1, 2, 3} {
		c.expect(fmt.Sprintf(`{"type":"next","id":"a","payload":{"data":{"driven":%d}}}`, n))
	}
}

func TestHowAStreamThatRestsEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bench, *client, *source){
		"the caller completes": func(_ *bench, c *client, _ *source) { c.write(`{"type":"complete","id":"a"}`) },
		"the caller leaves":    func(_ *bench, c *client, _ *source) { _ = c.conn.CloseNow() },
		"the caller says goodbye": func(_ *bench, c *client, _ *source) {
			_ = c.conn.Close(websocket.StatusNormalClosure, "")
		},
		"the server stops": func(b *bench, c *client, _ *source) {
			go func() { _ = b.stop() }()
			c.expectClose(1001)
		},
		"it panics": func(_ *bench, c *client, src *source) {
			src.put(-1)
			require.Equal(t, "INTERNAL", c.expectError("a").Extensions.Code)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, nil)
			c := b.connect(t)
			c.t = t
			c.write(subscribe("a", `subscription { driven }`))
			src := <-b.schema.sources
			src.put(7)
			c.expect(`{"type":"next","id":"a","payload":{"data":{"driven":7}}}`)
			end(b, c, src)
			eventually(t, src.closed.Load, "the source is closed")
			require.Error(t, src.ctx.Err())
			src.wake() // may come late, and does nothing
		})
	}
}

// TestAStreamThatRestsHasNoGoroutine counts those of the process, and so runs
// alone.
func TestAStreamThatRestsHasNoGoroutine(t *testing.T) {
	const n = 50
	b := start(t, func(o *server.Options) { o.Socket.Operations = n })
	c := b.connect(t)
	c.write(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
	before := runtime.NumGoroutine()
	for i := range n {
		c.write(subscribe(fmt.Sprint(i), `subscription { driven }`))
		(<-b.schema.sources).put(i)
		c.expect(fmt.Sprintf(`{"type":"next","id":"%d","payload":{"data":{"driven":%d}}}`, i, i))
	}
	const own = 2 // of eventually
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+own }, "all rest")
}

// Passed is the value before, as the cursor of the stream.
func (s *source) Passed() string { return "before" }
