package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/app"
)

// viewQuery is a desk's list that is kept up to date.
const viewQuery = `subscription Desk { conversationsChanged(view: {kind: ALL}) { kind cursor conversationId cause
	counts { total unread } conversation { id name preview isUnread newCount lastMessageAt owner { id name } } } }`

// Run implements the command.
func (c *standCommand) Run(ctx context.Context) error {
	switch c.Kind {
	case "floor":
		return runFloor(ctx)
	case "plain":
		return runPlain(ctx, c.Database)
	}
	return (&settings{Database: c.Database}).withApp(ctx, func(ctx context.Context, a *app.App) error {
		return running(ctx, a, func() error { return standAsParley(ctx, a, c.Database) })
	})
}

// running runs Parley until fn returns.
func running(ctx context.Context, a *app.App, fn func() error) (err error) {
	if err := a.Listen(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	return fn()
}

func standAsParley(ctx context.Context, a *app.App, database string) error {
	token, err := a.Tokens.Mint("ada", 24*time.Hour)
	if err != nil {
		return err
	}
	endpoint := a.Server.Addr().String() + "/graphql"
	h := hello{Page: "http://" + endpoint, Token: token, URL: "ws://" + endpoint}
	for _, frame := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": viewQuery}},
	} {
		text, err := json.Marshal(frame)
		if err != nil {
			return err
		}
		h.Script = append(h.Script, string(text))
	}
	n := 0
	return serveOrders(h, database+"-wal", func(string) error {
		n++
		req, err := inbound(a, n)
		if err != nil {
			return err
		}
		return post(req.WithContext(ctx))
	})
}

// floor is the least that a server of WebSockets does: the library as it comes,
// one goroutine per socket, and bytes that are written as they are.
type floor struct {
	mu   sync.Mutex
	open map[*websocket.Conn]bool
}

func runFloor(ctx context.Context) error {
	f := &floor{open: map[*websocket.Conn]bool{}}
	addr, stop, err := serve(ctx, f)
	if err != nil {
		return err
	}
	defer stop()
	return serveOrders(hello{URL: "ws://" + addr, Script: []string{"subscribe"}}, "", func(frame string) error {
		return f.write(ctx, []byte(frame))
	})
}

// serve serves on a free port of loopback until stop.
func serve(ctx context.Context, h http.Handler) (addr string, stop func(), err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), func() { _ = server.Close() }, nil
}

// ServeHTTP answers the first message, and reads on until the caller leaves.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	ctx := context.Background()
	kind, text, err := socket.Read(ctx)
	if err == nil {
		err = socket.Write(ctx, kind, text)
	}
	f.keep(socket, true)
	defer f.keep(socket, false)
	for err == nil {
		_, _, err = socket.Read(ctx)
	}
}

func (f *floor) keep(socket *websocket.Conn, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if open {
		f.open[socket] = true
	} else {
		delete(f.open, socket)
	}
}

func (f *floor) write(ctx context.Context, frame []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for socket := range f.open {
		if err := socket.Write(ctx, websocket.MessageText, frame); err != nil {
			return fmt.Errorf("the floor could not write: %w", err)
		}
	}
	return nil
}
