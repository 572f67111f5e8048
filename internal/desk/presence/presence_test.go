package presence_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/desk/presence"
)

// air carries signals between boards as a bus does between processes.
type air struct {
	mu    sync.Mutex
	ears  []*ear
	quiet atomic.Bool // signals are lost
}

// ear is one process on the air.
type ear struct {
	air   *air
	heard chan []byte
}

func (a *air) join() *ear {
	e := &ear{air: a, heard: make(chan []byte, 10_000)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ears = append(a.ears, e)
	return e
}

// Signal implements feed.Signals.
func (e *ear) Signal(_ string, payload []byte) {
	e.air.mu.Lock()
	defer e.air.mu.Unlock()
	for _, other := range e.air.ears {
		if other == e || !e.air.quiet.Load() { // a process hears itself
			other.heard <- payload
		}
	}
}

// OnSignal implements feed.Signals.
func (e *ear) OnSignal(_ string, heard func([]byte)) func() {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case payload := <-e.heard:
				heard(payload)
			}
		}
	}()
	return stop
}

// board runs a board until the test ends or stop.
func board(t *testing.T, signals feed.Signals) (b *presence.Board, stop func()) {
	t.Helper()
	b = presence.New(presence.Options{Signals: signals, Typing: 80 * time.Millisecond, Refresh: 40 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return b, stop
}

const (
	conversation = 7
	amy, bo      = 1, 2
)

// sees waits until a board shows these agents.
func sees(t *testing.T, b *presence.Board, want ...presence.Agent) {
	t.Helper()
	require.Eventually(t, func() bool { return fmt.Sprint(b.Agents(conversation)) == fmt.Sprint(want) },
		5*time.Second, time.Millisecond, "%v", want)
}

func viewing(agent int64) presence.Agent { return presence.Agent{Key: agent, State: presence.Viewing} }

func typing(agent int64) presence.Agent { return presence.Agent{Key: agent, State: presence.Typing} }

func TestAgentsSeeEachOtherAcrossProcesses(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	there, _ := board(t, a.join())
	leave := here.View(conversation, amy)
	sees(t, here, viewing(amy))
	sees(t, there, viewing(amy))
	leaveThere := there.View(conversation, bo)
	sees(t, here, viewing(amy), viewing(bo))
	here.Type(conversation, amy, true)
	sees(t, there, typing(amy), viewing(bo))
	here.Type(conversation, amy, false)
	sees(t, there, viewing(amy), viewing(bo))
	leave()
	sees(t, there, viewing(bo))
	leaveThere()
	sees(t, here)
	require.Empty(t, here.Agents(conversation+1))
}

// An agent with two windows is there once, as long as one is open.
func TestAnAgentIsThereOnce(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	there, _ := board(t, a.join())
	first, second, third := here.View(conversation, amy), here.View(conversation, amy), there.View(conversation, amy)
	sees(t, here, viewing(amy))
	there.Type(conversation, amy, true)
	sees(t, here, typing(amy))
	first()
	third()
	there.Type(conversation, amy, false)
	sees(t, here, viewing(amy))
	second()
	sees(t, here)
	sees(t, there)
}

func TestTypingEndsByItself(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	there, _ := board(t, a.join())
	defer here.View(conversation, amy)()
	here.Type(conversation, amy, true)
	there.Type(conversation, bo, true) // without looking
	sees(t, there, typing(amy), typing(bo))
	sees(t, there, viewing(amy))
	sees(t, here, viewing(amy))
}

// Leaving while typing leaves nothing behind.
func TestTypingOutlivesTheStreamOnlyForItsTime(t *testing.T) {
	t.Parallel()
	here, _ := board(t, (&air{}).join())
	leave := here.View(conversation, amy)
	here.Type(conversation, amy, true)
	leave()
	sees(t, here, typing(amy))
	sees(t, here)
}

func TestAProcessThatStartsLearnsWhoIsThere(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	for agent := range int64(250) { // several signals
		defer here.View(conversation, agent+1)()
	}
	late, _ := board(t, a.join())
	require.Eventually(t, func() bool { return len(late.Agents(conversation)) == 250 }, 5*time.Second, time.Millisecond)
}

func TestAProcessThatStopsTakesItsAgentsWithIt(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	there, stop := board(t, a.join())
	there.View(conversation, bo)
	sees(t, here, viewing(bo))
	stop()
	sees(t, here)
}

// What a lost signal would have said is said again; who is silent is gone.
func TestSilenceIsHealedOrEnds(t *testing.T) {
	t.Parallel()
	a := &air{}
	here, _ := board(t, a.join())
	there, _ := board(t, a.join())
	a.quiet.Store(true)
	defer there.View(conversation, bo)()
	require.Empty(t, here.Agents(conversation))
	a.quiet.Store(false)
	sees(t, here, viewing(bo))
	a.quiet.Store(true)
	sees(t, here)
	a.quiet.Store(false)
	sees(t, here, viewing(bo))
}

func TestAWatchIsWokenByEachChangeAndByNothingElse(t *testing.T) {
	t.Parallel()
	here, _ := board(t, (&air{}).join())
	w := here.Watch(conversation)
	defer w.Close()
	woken := func() bool {
		select {
		case <-w.Changed:
			return true
		default:
			return false
		}
	}
	here.View(conversation+1, amy)
	require.False(t, woken())
	leave := here.View(conversation, amy)
	require.True(t, woken())
	here.View(conversation, amy)
	require.False(t, woken(), "a second window changes nothing")
	leave()
	require.False(t, woken())
	here.Type(conversation, amy, true)
	require.True(t, woken())
}

func TestWhatMakesNoSenseIsIgnored(t *testing.T) {
	t.Parallel()
	a := &air{}
	stranger := a.join()
	here, _ := board(t, a.join())
	const name = "sixteen bytes..."
	for _, payload := range []string{
		"", "short", name + "\x0e", name + "\x0e\x02", name + "\x0e\x02\x09", name + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x01",
	} {
		stranger.Signal("presence", []byte(payload))
	}
	stranger.Signal("presence", []byte(name+"\x0e\x02\x01")) // conversation 7, agent 1, viewing
	sees(t, here, viewing(1))
}
