package server_test

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

// privateMetrics is what operators see.
func (b *bench) privateMetrics(t *testing.T) string {
	t.Helper()
	return b.send(t, "GET", "http://"+b.PrivateAddr().String()+"/metrics", "").text
}

// knockAndHold has n mute sockets come one after the other, each held while the
// next hundred do.
func (b *bench) knockAndHold(ctx context.Context, n int) error {
	request := "GET /graphql HTTP/1.1\r\nHost: parley.test\r\n"
	for i := 0; i < len(upgrade); i += 2 {
		request += upgrade[i] + ": " + upgrade[i+1] + "\r\n"
	}
	var held []net.Conn
	defer func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	}()
	for range n {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", b.Addr().String())
		if err != nil {
			return err
		}
		held = append(held, conn)
		if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
			return err
		}
		answer := make([]byte, 1)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(answer); err != nil {
			return err
		}
		if len(held) > 100 {
			_ = held[0].Close()
			held = held[1:]
		}
	}
	return nil
}

// TestMuteSocketsKeepNobodyOut counts goroutines and memory of the process, and so
// runs alone.
func TestMuteSocketsKeepNobodyOut(t *testing.T) {
	const knockers, each = 8, 1250
	b := start(t, func(o *server.Options) { o.Socket.InitTimeout = 2 * time.Second })
	b.connect(t)
	goroutines, heap := runtime.NumGoroutine(), heapHeld()
	var all sync.WaitGroup
	failed := make(chan error, knockers)
	for range knockers {
		all.Go(func() { failed <- b.knockAndHold(t.Context(), each) })
	}
	knocking := make(chan struct{})
	go func() { all.Wait(); close(knocking) }()
	visits, most := 0, 0
	for over := false; !over || visits == 0; {
		select {
		case <-knocking:
			over = true
		default:
		}
		c := b.connect(t) // by connection_init, as browsers must
		require.NoError(t, c.conn.CloseNow())
		greeted := b.dial(t, "graphql-transport-ws", "Authorization", "Bearer bo")
		greeted.write(`{"type":"connection_init"}`)
		greeted.expect(`{"type":"connection_ack"}`)
		require.NoError(t, greeted.conn.CloseNow())
		visits, most = visits+1, max(most, runtime.NumGoroutine())
	}
	for range knockers {
		require.NoError(t, <-failed)
	}
	t.Logf("%d visits of two agents while %d knocked; at most %d goroutines", visits, knockers*each, most)
	require.Less(t, most-goroutines, 3_000, "500 sockets, and those on their way out")
	metrics := b.privateMetrics(t)
	require.NotContains(t, metrics, "parley_websocket_displaced_total 0\n")
	eventually(t, func() bool { return strings.Contains(b.privateMetrics(t), "parley_websocket_waiting 0\n") }, "no places are taken")
	eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+20 }, "all goroutines have ended")
	b.log.Reset()
	require.Less(t, heapHeld(), heap+(4<<20), "nothing is kept of them")
}

func heapHeld() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestWhoWaitsLongestGivesWay also where they were refused and do not go.
func TestWhoWaitsLongestGivesWay(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Socket.Strangers, o.Socket.Total, o.Socket.InitTimeout = 2, 1, time.Hour
	})
	refused := b.knock(t)
	_, err := refused.Write(frame(1, true, []byte(`{"type":"connection_init","payload":{"authorization":"eve"}}`)))
	require.NoError(t, err)
	got := make([]byte, 4)
	_, err = refused.Read(got)
	require.NoError(t, err)
	require.EqualValues(t, 0x88, got[0], "a closing frame, which is not answered")
	mute := b.knock(t)
	eventually(t, func() bool { return strings.Contains(b.privateMetrics(t), "parley_websocket_waiting 2\n") }, "both have a place")

	agent := b.connect(t)
	eventually(t, func() bool { return strings.Contains(b.privateMetrics(t), "parley_websocket_connections 2\n") }, "the refused one gave way")
	require.Contains(t, b.privateMetrics(t), "parley_websocket_waiting 1\n")
	require.Contains(t, b.privateMetrics(t), "parley_websocket_displaced_total 1\n")
	require.Equal(t, 503, b.send(t, "GET", "/graphql", "", upgrade...).StatusCode, "no agent more may sign in")
	require.NoError(t, agent.conn.Close(websocket.StatusNormalClosure, ""))
	eventually(t, func() bool { return strings.Contains(b.privateMetrics(t), "parley_websocket_connections 1\n") }, "the agent has gone")
	_, err = mute.Write(frame(1, true, []byte(initAmy)))
	require.NoError(t, err)
	_, err = mute.Read(got)
	require.NoError(t, err)
	require.EqualValues(t, 0x81, got[0], "the other may still sign in")
}

// TestAnAddressHasAShareOfTheStrangers: one address displaces its own.
func TestAnAddressHasAShareOfTheStrangers(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Socket.Strangers, o.Socket.StrangersPerAddress, o.Socket.InitTimeout = 4, 2, time.Hour
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(address string) *rawSocket {
		t.Helper()
		s := b.knock(t, "X-Forwarded-For", address)
		_, err := s.Write(frame(1, true, []byte(`{"type":"ping"}`)))
		require.NoError(t, err)
		_, err = s.ReadByte()
		require.NoError(t, err, "it has its place")
		return s
	}
	elsewhere := from("192.0.2.1")
	for range 10 {
		from("2001:db8::1")
	}
	require.Contains(t, b.privateMetrics(t), "parley_websocket_waiting 3\n")
	_, err := elsewhere.Write(frame(1, true, []byte(initAmy)))
	require.NoError(t, err)
	rest := make([]byte, 64)
	_, err = elsewhere.Read(rest)
	require.NoError(t, err)
	_, err = elsewhere.Read(rest)
	require.NoError(t, err, "whoever came first from elsewhere is still here")
}

// TestAGreetedSocketIsItsAgentsFromTheStart: one by its header takes no place of
// strangers, and none of another agent when the payload names one.
func TestAGreetedSocketIsItsAgentsFromTheStart(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.PerViewer = 1 })
	first := b.dial(t, "graphql-transport-ws", "Authorization", "Bearer amy")
	first.write(`{"type":"ping"}`)
	first.expect(`{"type":"pong"}`)
	require.Contains(t, b.privateMetrics(t), "parley_websocket_waiting 0\n")
	second := b.dial(t, "graphql-transport-ws", "Authorization", "Bearer amy")
	second.expectClose(1013)
	refused := b.knock(t, "Authorization", "Bearer amy")
	eventually(t, func() bool { return strings.Contains(b.privateMetrics(t), "parley_websocket_waiting 1\n") }, "who is refused has a stranger's place until they go")
	require.NoError(t, refused.Close())
	first.write(`{"type":"connection_init","payload":{"authorization":"bo"}}`)
	first.expect(`{"type":"connection_ack"}`)
	b.connect(t) // amy's place is free again
}
