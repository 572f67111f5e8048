package natsbus_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/desk/feed/natsbus"
	"parley/internal/desk/feed/natsbus/natstest"
)

var key = []byte("a key of thirty-two bytes or so..")

// ear keeps the positions that a subscription was told.
type ear struct {
	mu    sync.Mutex
	heard []int64
}

func (e *ear) hint(position int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, position)
}

func (e *ear) all() []int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int64(nil), e.heard...)
}

// last is the position told last; 0 for none.
func (e *ear) last() int64 {
	if all := e.all(); len(all) > 0 {
		return all[len(all)-1]
	}
	return 0
}

func listen(t testing.TB, b feed.Bus) *ear {
	t.Helper()
	e := &ear{}
	t.Cleanup(b.Subscribe(e.hint))
	return e
}

func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond, what)
}

// open opens a bus that ends with the test.
func open(t testing.TB, url string, options ...func(*natsbus.Options)) *natsbus.Bus {
	t.Helper()
	o := natsbus.Options{URL: url, Epoch: 7, Key: key}
	for _, option := range options {
		option(&o)
	}
	b, err := natsbus.Open(o)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// join opens a bus that the server knows to listen.
func join(t testing.TB, url string, options ...func(*natsbus.Options)) *natsbus.Bus {
	t.Helper()
	b := open(t, url, options...)
	eventually(t, b.Connected, "the bus is connected")
	return b
}

// What any bus does, within a process and, where there are several, between them.
func TestEveryBus(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) (here, there feed.Bus){
		"local": func(*testing.T) (feed.Bus, feed.Bus) {
			b := feed.NewLocal()
			return b, b
		},
		"one process, NATS": func(t *testing.T) (feed.Bus, feed.Bus) {
			b := join(t, natstest.Start(t).URL())
			return b, b
		},
		"one process, NATS away": func(t *testing.T) (feed.Bus, feed.Bus) {
			b := open(t, natstest.Reserve(t).URL())
			return b, b
		},
		"two processes, NATS": func(t *testing.T) (feed.Bus, feed.Bus) {
			url := natstest.Start(t).URL()
			return join(t, url), join(t, url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := make(t)
			behaves(t, here, there)
		})
	}
}

func behaves(t *testing.T, here, there feed.Bus) {
	t.Helper()
	own, other, third := listen(t, here), listen(t, there), &ear{}
	stop := there.Subscribe(third.hint)
	// Told at once within the process, soon in the other.
	here.Publish(1)
	require.Equal(t, int64(1), own.last())
	eventually(t, func() bool { return other.last() == 1 && third.last() == 1 }, "everybody is told")
	// Whoever has stopped is told nothing more.
	stop()
	there.Publish(2)
	eventually(t, func() bool { return own.last() == 2 && other.last() == 2 }, "those who stayed are told")
	require.Equal(t, int64(1), third.last())
	// Many at once, from many goroutines: all come to know the highest.
	var writers sync.WaitGroup
	for w := range int64(8) {
		writers.Go(func() {
			for n := range int64(500) {
				here.Publish(3 + n*8 + w)
			}
		})
	}
	writers.Wait()
	const highest = 3 + 499*8 + 7
	eventually(t, func() bool { return has(own, highest) && has(other, highest) }, "the highest comes to everybody")
}

func has(e *ear, position int64) bool {
	for _, p := range e.all() {
		if p == position {
			return true
		}
	}
	return false
}
