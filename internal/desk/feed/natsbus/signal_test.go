package natsbus_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/desk/feed/natsbus"
	"parley/internal/desk/feed/natsbus/natstest"
)

// note keeps the signals that a process heard.
type note struct {
	mu    sync.Mutex
	heard []string
}

func hearing(t testing.TB, b feed.Signals, kind string) *note {
	t.Helper()
	n := &note{}
	t.Cleanup(b.OnSignal(kind, func(payload []byte) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.heard = append(n.heard, string(payload))
	}))
	return n
}

func (n *note) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.heard...)
}

// Signals reach every process once and in order, each kind its own hearers, over
// the one subscription that hints take too.
func TestSignalsReachEveryProcess(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	before := server.Subscriptions()
	here, there := join(t, server.URL()), join(t, server.URL())
	own, other, positions := hearing(t, here, "typing"), hearing(t, there, "typing"), listen(t, there)
	elsewhere := hearing(t, there, "hello")
	for _, text := range []string{"one", "", strings.Repeat("x", feed.MaxSignal)} {
		here.Signal("typing", []byte(text))
		here.Publish(int64(len(text)))
	}
	here.Signal("hello", []byte("it is me"))
	want := []string{"one", "", strings.Repeat("x", feed.MaxSignal)}
	require.Equal(t, want, own.all(), "within the process at once")
	eventually(t, func() bool { return len(elsewhere.all()) == 1 && positions.last() == feed.MaxSignal }, "the other hears both kinds and the hints")
	require.Equal(t, want, other.all())
	require.Equal(t, []string{"it is me"}, elsewhere.all())
	require.Equal(t, before+2, server.Subscriptions())
}

// Within one process nothing else is needed.
func TestSignalsWithinAProcess(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]feed.Signals{"local": feed.NewLocal(), "NATS away": open(t, natstest.Reserve(t).URL())} {
		first, second, third := hearing(t, b, "typing"), hearing(t, b, "typing"), &note{}
		stop := b.OnSignal("typing", func([]byte) { third.heard = append(third.heard, "") })
		stop()
		b.Signal("typing", []byte("one"))
		b.Signal("reading", []byte("two"))
		b.Signal("", nil)
		b.Signal("typing", make([]byte, feed.MaxSignal+1))
		b.Signal(strings.Repeat("k", feed.MaxSignalKind+1), nil)
		require.Equal(t, []string{"one"}, first.all(), name)
		require.Equal(t, []string{"one"}, second.all(), name)
		require.Empty(t, third.all(), name)
	}
}

// A signal cannot be forged, changed, sent on to another database, or passed for a
// hint.
func TestAForgedSignalIsNotHeard(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	here, there := join(t, server.URL()), join(t, server.URL())
	theirs := join(t, server.URL(), func(o *natsbus.Options) { o.Epoch = 8 })
	own, positions, foreign := hearing(t, there, "typing"), listen(t, there), hearing(t, theirs, "typing")
	stranger, err := nats.Connect(server.URL())
	require.NoError(t, err)
	t.Cleanup(stranger.Close)
	overheard := make(chan *nats.Msg, 16)
	_, err = stranger.ChanSubscribe("parley.>", overheard)
	require.NoError(t, err)
	require.NoError(t, stranger.Flush())
	here.Signal("typing", []byte("now")) // 1+6+3+16 bytes
	m := <-overheard
	for i := range m.Data {
		forged := bytes.Clone(m.Data)
		forged[i] ^= 1
		require.NoError(t, stranger.Publish(m.Subject, forged))
		require.NoError(t, stranger.Publish(m.Subject, m.Data[:i]))
	}
	require.NoError(t, stranger.Publish("parley.0000000000000008.log", m.Data))
	here.Signal("t", []byte("123456")) // as long as a hint
	require.NoError(t, stranger.Flush())
	here.Publish(9)
	eventually(t, func() bool { return positions.last() == 9 }, "what came before was looked at")
	require.Equal(t, []string{"now"}, own.all())
	require.Equal(t, []int64{9}, positions.all())
	require.Empty(t, foreign.all())
}
