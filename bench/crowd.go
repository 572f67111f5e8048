package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	subprotocol = "graphql-transport-ws"
	// doors is how many subscribers come at the same time.
	doors = 64
	// patience is how long anything may take that should take no time.
	patience = time.Minute
)

// crowd is subscribers of a stand.
type crowd struct {
	sockets  []*websocket.Conn
	arrivals chan arrival
	readers  sync.WaitGroup
}

// arrival is a frame that came to one of them.
type arrival struct {
	at    time.Time
	frame []byte
	err   error
}

// gather opens n subscriptions and reads them until close.
func gather(ctx context.Context, s *stand, n int) (*crowd, error) {
	c := &crowd{sockets: make([]*websocket.Conn, n), arrivals: make(chan arrival, n)}
	var wg sync.WaitGroup
	errs := make([]error, doors)
	for door := range doors {
		wg.Go(func() {
			for i := door; i < n && errs[door] == nil; i += doors {
				c.sockets[i], errs[door] = enter(ctx, s.hello)
			}
		})
	}
	wg.Wait()
	for _, socket := range c.sockets {
		if socket != nil {
			c.readers.Go(func() { c.read(ctx, socket) })
		}
	}
	if err := errors.Join(errs...); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// enter opens one subscription; it returns when the stream is open.
func enter(ctx context.Context, h hello) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	socket, response, err := websocket.Dial(ctx, h.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return nil, err
	}
	if response.Body != nil {
		defer func() { _ = response.Body.Close() }()
	}
	for _, message := range h.Script {
		err := socket.Write(ctx, websocket.MessageText, []byte(message))
		if err == nil {
			_, _, err = socket.Read(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, socket.CloseNow())
		}
	}
	return socket, nil
}

func (c *crowd) read(ctx context.Context, socket *websocket.Conn) {
	for {
		_, frame, err := socket.Read(ctx)
		c.arrivals <- arrival{time.Now(), frame, err}
		if err != nil {
			return
		}
	}
}

// await returns how long after a moment a frame has come to each subscriber, and
// one of the frames.
func (c *crowd) await(since time.Time) (after []time.Duration, frame []byte, err error) {
	late := time.After(patience)
	for range c.sockets {
		select {
		case got := <-c.arrivals:
			if got.err != nil {
				return nil, nil, got.err
			}
			after, frame = append(after, got.at.Sub(since)), got.frame
		case <-late:
			return nil, nil, errors.New("not every subscriber was told")
		}
	}
	return after, frame, nil
}

func (c *crowd) close() {
	go func() {
		for range c.arrivals { // lets the readers go
		}
	}()
	for _, socket := range c.sockets {
		if socket != nil {
			_ = socket.CloseNow()
		}
	}
	c.readers.Wait()
	close(c.arrivals)
}
