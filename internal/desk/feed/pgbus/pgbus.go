// Package pgbus is the bus between several Parleys on one PostgreSQL database, using the
// database's own LISTEN and NOTIFY: it needs nothing else.
//
// It carries hints ("there are events up to this position") and signals, which are
// worthless a moment later. Notifications are sent after the commit, in statements of
// their own, one at a time. A lost notification costs the time until the hub next looks
// at the log, never an event.
package pgbus

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/desk/feed"
)

// channel is the notification channel; a database has its own.
const channel = "parley"

// Bounds.
const (
	sendTimeout = 2 * time.Second  // to tell the others one thing
	firstPause  = time.Second      // after the listening connection broke,
	longPause   = 10 * time.Second // and at most
)

// Bus implements feed.Bus and feed.Signals. It is safe for concurrent use.
type Bus struct {
	*feed.Relay
	pool      *pgxpool.Pool
	name      string // of this process: it does not hear itself by way of the database
	listening atomic.Bool
	stop      context.CancelFunc
	done      sync.WaitGroup
}

var (
	_ feed.Bus     = (*Bus)(nil)
	_ feed.Signals = (*Bus)(nil)
)

// Open starts a bus over the database of pool. It listens on a connection of its
// own, which it opens again for as long as it takes, and notifies through the
// pool. Close ends it, before the pool.
func Open(pool *pgxpool.Pool) *Bus {
	ctx, stop := context.WithCancel(context.Background())
	b := &Bus{Relay: feed.NewRelay(), pool: pool, name: rand.Text(), stop: stop}
	b.done.Go(func() { b.Run(ctx, func(m feed.Message) error { return b.tell(ctx, m) }) })
	b.done.Go(func() { b.listen(ctx) })
	return b
}

// Connected reports whether this process listens at this moment.
func (b *Bus) Connected() bool { return b.listening.Load() }

// Close ends the bus. Hints of this process are still heard in it.
func (b *Bus) Close() {
	b.stop()
	b.done.Wait()
}

func (b *Bus) tell(ctx context.Context, m feed.Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	_, err := b.pool.Exec(ctx, "SELECT pg_notify($1, $2)", channel, b.write(m))
	return err
}

// listen hears the others until ctx ends.
func (b *Bus) listen(ctx context.Context) {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		heard, err := b.hear(ctx)
		b.listening.Store(false)
		if ctx.Err() != nil {
			return
		}
		slog.WarnContext(ctx, "cannot listen to PostgreSQL's notifications; will keep trying, and read the event log every second meanwhile", "error", err)
		if heard {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// hear listens until the connection breaks; it reports whether it came to listen.
func (b *Bus) hear(ctx context.Context) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, b.pool.Config().ConnConfig)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false, err
	}
	b.listening.Store(true)
	b.Heard(feed.Message{}) // whatever was notified before is worth a look
	b.Again()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		if from, m, ok := read(n.Payload); ok && from != b.name {
			b.Heard(m)
		}
	}
}

// write puts a message into a notification: who tells it, and a position, or the
// kind and the payload of a signal.
func (b *Bus) write(m feed.Message) string {
	if m.Kind == "" {
		return b.name + " " + strconv.FormatInt(m.Position, 10)
	}
	return fmt.Sprintf("%s %s %s", b.name, base64.RawStdEncoding.EncodeToString([]byte(m.Kind)), base64.RawStdEncoding.EncodeToString(m.Payload))
}

// read is the inverse of write. What makes no sense is not ok.
func read(notification string) (from string, m feed.Message, ok bool) {
	from, rest, _ := strings.Cut(notification, " ")
	kind, payload, signal := strings.Cut(rest, " ")
	if !signal {
		position, err := strconv.ParseInt(rest, 10, 64)
		return from, feed.Message{Position: position}, err == nil
	}
	k, badKind := base64.RawStdEncoding.DecodeString(kind)
	p, badPayload := base64.RawStdEncoding.DecodeString(payload)
	m = feed.Message{Kind: string(k), Payload: p}
	return from, m, badKind == nil && badPayload == nil && feed.IsSignal(m.Kind, m.Payload)
}
