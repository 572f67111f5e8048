// Package natsbus is the bus between several Parleys on one database, over NATS.
//
//	bus, err := natsbus.Open(natsbus.Options{URL: "nats://127.0.0.1:4222", Epoch: store.Epoch, Key: key})
//
// It carries hints ("there are events up to this position") and signals, which are
// worthless a moment later. A process hears its own at once, with or without NATS; others
// hear them through one subscription per process. A hint that NATS loses costs the time
// until the hub next looks at the log, never an event; a lost signal is gone.
//
// Each database has its own subject, named after its log's epoch, and each message
// carries a MAC under a key that the database holds: other speakers on the cluster are
// ignored.
package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"parley/internal/desk/feed"
)

// Options say which cluster and which database. All are required.
type Options struct {
	// URL names one or more servers of a cluster, separated by commas, each
	// nats://host:port or tls://host:port, with user:password@ or token@ before
	// the host where the cluster asks for it.
	URL string
	// Epoch is the epoch of the database's log.
	Epoch int64
	// Key is known to the processes on the database alone.
	Key []byte
}

// Bounds.
const (
	dialTimeout = 2 * time.Second // to reach one server
	sendTimeout = 2 * time.Second // until the cluster has a hint
	waitingMost = 1024            // messages heard and not yet handed on
	firstPause  = 50 * time.Millisecond
	longPause   = 2 * time.Second // between attempts to reach the cluster
)

// Bus implements feed.Bus and feed.Signals. It is safe for concurrent use.
type Bus struct {
	*feed.Relay
	sealer
	conn *nats.Conn
	stop context.CancelFunc
	done sync.WaitGroup
}

var (
	_ feed.Bus     = (*Bus)(nil)
	_ feed.Signals = (*Bus)(nil)
)

// Open connects to the cluster. One that cannot be reached is no error: the log
// says so, and the bus tries for ever, at most 2 s apart. An error means that
// the URL cannot be used. Close ends it.
func Open(o Options) (*Bus, error) {
	servers, err := parse(o.URL)
	if err != nil {
		return nil, err
	}
	b := &Bus{Relay: feed.NewRelay(), sealer: newSealer(o.Epoch, o.Key)}
	if b.conn, err = nats.Connect(servers, b.options()...); err != nil {
		return nil, fmt.Errorf("the NATS URL cannot be used: %w", err)
	}
	if err := b.listen(); err != nil {
		b.conn.Close()
		return nil, fmt.Errorf("listen for hints: %w", err)
	}
	if !b.Connected() || b.conn.FlushTimeout(sendTimeout) != nil { // else the cluster knows that we listen
		slog.Warn("cannot reach NATS yet; will keep trying, and read the event log every second meanwhile")
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.done.Go(func() { b.Run(ctx, b.tell) })
	return b, nil
}

var errURL = errors.New("the NATS URL cannot be used: expected nats://host:port or tls://host:port, several separated by commas")

// parse checks the servers' URLs. The error does not repeat them: they may hold
// a password.
func parse(list string) (string, error) {
	var servers []string
	for server := range strings.SplitSeq(list, ",") {
		server = strings.TrimSpace(server)
		u, err := url.Parse(server)
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
			return "", errURL
		}
		servers = append(servers, server)
	}
	return strings.Join(servers, ","), nil
}

func (b *Bus) options() []nats.Option {
	return []nats.Option{
		nats.Name("parley"), nats.NoEcho(), nats.Timeout(dialTimeout),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.CustomReconnectDelay(pause),
		nats.IgnoreAuthErrorAbort(), // a password may be mended at the cluster
		nats.ReconnectBufSize(-1),   // an old hint is worth nothing
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(b.connected), nats.ReconnectHandler(b.connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // none when it was closed
				slog.Warn("lost NATS; will keep trying, and read the event log every second meanwhile", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			slog.Warn("NATS reports an error", "error", err)
		}),
	}
}

// pause is how long to wait before the next round over all servers.
func pause(rounds int) time.Duration {
	return min(firstPause<<min(rounds, 10), longPause)
}

// connected has the others told what could not be told before.
func (b *Bus) connected(c *nats.Conn) {
	slog.Info("connected to NATS", "server", c.ConnectedUrlRedacted())
	b.Again()
}

// Connected reports whether the cluster is reached at this moment.
func (b *Bus) Connected() bool { return b.conn.IsConnected() }

// Server names what this process is connected to: the cluster by its name, else
// the server by its id; empty while there is no connection.
func (b *Bus) Server() string {
	if name := b.conn.ConnectedClusterName(); name != "" {
		return name
	}
	return b.conn.ConnectedServerId()
}

// Close leaves the cluster. Hints of this process are still heard in it.
func (b *Bus) Close() {
	b.stop()
	b.conn.Close()
	b.done.Wait()
}

func (b *Bus) listen() error {
	sub, err := b.conn.Subscribe(b.subject, func(m *nats.Msg) {
		if position, ok := b.open(m.Data); ok {
			b.Heard(feed.Message{Position: position})
		} else if kind, payload, ok := b.openSignal(m.Data); ok {
			b.Heard(feed.Message{Kind: kind, Payload: payload})
		}
	})
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(waitingMost, waitingMost*mostSealed)
}

// tell brings a message to the cluster, a hint for certain.
func (b *Bus) tell(m feed.Message) error {
	if m.Kind != "" {
		return b.conn.Publish(b.subject, b.sealSignal(m.Kind, m.Payload))
	}
	if err := b.conn.Publish(b.subject, b.seal(m.Position)); err != nil {
		return err
	}
	return b.conn.FlushTimeout(sendTimeout)
}
