package natsbus_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed/natsbus"
	"parley/internal/desk/feed/natsbus/natstest"
)

func TestAURLThatCannotBeUsedIsToldWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "localhost", "localhost:4222", "http://localhost:4222", "nats://", "nats://:4222", "nats://me:secret@%zz:1",
		"nats://me:secret@a:b", "nats://a:1,", "nats://a:1/path", "nats://a:1?x=secret", "nats://a:1,redis://me:secret@b:2",
	} {
		_, err := natsbus.Open(natsbus.Options{URL: url, Key: key})
		require.ErrorContains(t, err, "expected nats://host:port", url)
		require.NotContains(t, err.Error(), "secret")
	}
}

// A process hears itself while NATS is away, and the others again when it is back.
func TestNATSComesGoesAndComesBack(t *testing.T) {
	t.Parallel()
	server := natstest.Reserve(t)
	here, there := open(t, server.URL()), open(t, server.URL())
	own, other := listen(t, here), listen(t, there)
	require.False(t, here.Connected() || there.Connected())
	position := int64(0)
	for range 3 {
		position++
		here.Publish(position)
		require.Equal(t, position, own.last(), "a process hears itself without NATS")
		server.Start()
		// What is said before the other listens again is healed by the position
		// check, or by the next hint.
		eventually(t, func() bool {
			position++
			here.Publish(position)
			return other.last() > 0 && other.last() >= position-100
		}, "the other is told")
		server.Stop()
		eventually(t, func() bool { return !here.Connected() && !there.Connected() }, "both notice")
	}
}

// What was published while NATS was away is told when it is back, though nothing
// is published after. Who comes back first is chance: a round in which the
// listener came second proves nothing, and another is played.
func TestTheOthersAreToldWhatTheyMissed(t *testing.T) {
	t.Parallel()
	server := natstest.Reserve(t)
	here := open(t, server.URL())
	for round := range int64(20) {
		here.Publish(round + 1)
		server.Start()
		if told(t, server.URL(), here) == round+1 {
			return
		}
		server.Stop()
		eventually(t, func() bool { return !here.Connected() }, "it notices")
	}
	require.Fail(t, "nothing was told in any round")
}

// told is the position that a listener hears while b comes back; 0 for none.
func told(t *testing.T, url string, b *natsbus.Bus) int64 {
	t.Helper()
	listener, err := nats.Connect(url)
	require.NoError(t, err)
	defer listener.Close()
	heard := make(chan *nats.Msg, 1)
	_, err = listener.ChanSubscribe("parley.0000000000000007.log", heard)
	require.NoError(t, err)
	require.NoError(t, listener.Flush())
	eventually(t, b.Connected, "it is back")
	select {
	case m := <-heard:
		return int64(binary.BigEndian.Uint64(m.Data))
	case <-time.After(500 * time.Millisecond):
		return 0
	}
}

func TestDatabasesOnOneClusterDoNotHearEachOther(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	ours, alsoOurs := join(t, server.URL()), join(t, server.URL())
	theirs := join(t, server.URL(), func(o *natsbus.Options) { o.Epoch = 8 })
	our, their := listen(t, alsoOurs), listen(t, theirs)
	ours.Publish(1)
	eventually(t, func() bool { return our.last() == 1 }, "ours is told")
	theirs.Publish(2)
	ours.Publish(3)
	eventually(t, func() bool { return our.last() == 3 }, "ours is told again")
	require.Equal(t, []int64{1, 3}, our.all())
	require.Equal(t, []int64{2}, their.all())
}

// Whoever can speak on the cluster without the key is not heard.
func TestWhatIsForgedOrMalformedIsIgnored(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	here := join(t, server.URL())
	own := listen(t, here)
	stranger, err := nats.Connect(server.URL())
	require.NoError(t, err)
	t.Cleanup(stranger.Close)
	overheard := make(chan *nats.Msg, 16)
	_, err = stranger.ChanSubscribe(">", overheard)
	require.NoError(t, err)
	require.NoError(t, stranger.Flush())

	join(t, server.URL()).Publish(9)
	genuine := <-overheard
	eventually(t, func() bool { return own.last() == 9 }, "the genuine one is heard")
	forged := bytes.Clone(genuine.Data)
	forged[7] = 200 // another position under the same MAC
	long := append(bytes.Clone(genuine.Data), 0)
	for _, data := range [][]byte{nil, []byte("12"), forged, long, genuine.Data[:23], make([]byte, 24), make([]byte, 1<<19)} {
		require.NoError(t, stranger.Publish(genuine.Subject, data))
	}
	other := join(t, server.URL(), func(o *natsbus.Options) { o.Key = []byte("another") })
	other.Publish(300)
	require.NoError(t, stranger.Flush())
	join(t, server.URL()).Publish(10)
	eventually(t, func() bool { return own.last() == 10 }, "the next genuine one is heard")
	require.Equal(t, []int64{9, 10}, own.all())
}

// A cluster that takes the connection and never answers holds up nobody.
func TestASilentServerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	b := open(t, "nats://"+l.Addr().String())
	own := listen(t, b)
	start := time.Now()
	for n := range int64(100_000) {
		b.Publish(n + 1)
	}
	require.Less(t, time.Since(start), time.Second)
	require.Equal(t, int64(100_000), own.last())
}

// However many hints there are, few go out: one is under way at most.
func TestHintsAreCoalesced(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	here, other := join(t, server.URL()), listen(t, join(t, server.URL()))
	const hints = 50_000
	for n := range int64(hints) {
		here.Publish(n + 1)
	}
	eventually(t, func() bool { return other.last() == hints }, "the last is told")
	require.Less(t, len(other.all()), hints/10)
}

// One connection and one subscription each, whoever listens inside.
func TestAProcessHasOneSubscription(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	before := server.Subscriptions()
	for n := range 3 {
		b := join(t, server.URL())
		listen(t, b)
		listen(t, b)
		eventually(t, func() bool { return server.Clients() == n+1 && server.Subscriptions() == before+n+1 }, "one each")
	}
}

func TestCloseLeavesTheCluster(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	b, err := natsbus.Open(natsbus.Options{URL: server.URL(), Epoch: 7, Key: key})
	require.NoError(t, err)
	own := listen(t, b)
	b.Close()
	b.Publish(1)
	require.Equal(t, int64(1), own.last())
	eventually(t, func() bool { return server.Clients() == 0 }, "no connection is left")
}
