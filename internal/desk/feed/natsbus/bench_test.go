package natsbus_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/desk/feed/natsbus/natstest"
)

// How long until a hint is heard: within a process, in another by a server on
// loopback, and through a server without a port inside the process, which is what
// docs/decisions/0013-bus.md weighs.
func BenchmarkHint(b *testing.B) {
	b.Run("local", func(b *testing.B) {
		bus := feed.NewLocal()
		heard := make(chan int64, 1)
		b.Cleanup(bus.Subscribe(func(position int64) { heard <- position }))
		for n := range int64(b.N) {
			bus.Publish(n + 1)
			<-heard
		}
	})
	b.Run("two processes", func(b *testing.B) {
		url := natstest.Start(b).URL()
		here, there := join(b, url), join(b, url)
		heard := make(chan int64, 1)
		b.Cleanup(there.Subscribe(func(position int64) { heard <- position }))
		for n := range int64(b.N) {
			here.Publish(n + 1)
			<-heard
		}
	})
	b.Run("embedded", func(b *testing.B) {
		conn := embed(b)
		heard := make(chan struct{}, 1)
		_, err := conn.Subscribe("hint", func(*nats.Msg) { heard <- struct{}{} })
		require.NoError(b, err)
		for range b.N {
			require.NoError(b, conn.Publish("hint", make([]byte, 24)))
			<-heard
		}
	})
}

// What a server inside the process would cost at start.
func BenchmarkStartEmbedded(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		embed(b)
	}
}

// embed starts a server without a port and connects to it.
func embed(b *testing.B) *nats.Conn {
	b.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	require.NoError(b, err)
	s.Start()
	b.Cleanup(s.Shutdown)
	conn, err := nats.Connect("", nats.InProcessServer(s))
	require.NoError(b, err)
	b.Cleanup(conn.Close)
	return conn
}
