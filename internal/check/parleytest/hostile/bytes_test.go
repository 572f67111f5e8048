package hostile_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
)

func longAnswer(conversation string, times int) string {
	return fmt.Sprintf(`{ conversation(id: %q) { %s } }`, conversation, messages(times))
}

func answersAreBounded(w *world) {
	amy := w.as("amy")
	conversation := w.shared(callers...)
	amy.longest(conversation)
	require.Greater(w.t, len(amy.ask(longAnswer(conversation, 1), nil).body), 4_000_000, "what fits comes whole")
	for _, times := range []int{3, 5, 10, 29} {
		got := amy.ask(longAnswer(conversation, times), nil)
		require.Equal(w.t, "LIMIT_EXCEEDED", got.code(), "%d times", times)
		require.Less(w.t, len(got.body), 10_000)
	}
	_, event := amy.event(fmt.Sprintf(stream+` { conversationChanged(id: %q) { ... on Reset { conversation { %s } } } }`, conversation, messages(5)), nil)
	require.Contains(w.t, event, "LIMIT_EXCEEDED")
	require.Less(w.t, len(event), mostAnswer)
}

// callers are several agents, since the rate keeps one of them from asking for the
// longest sixty-four times at once.
var callers = []string{"ada", "amy", "bo"}

// longestAnswersTakeLittleMemory has them ask for the longest, over and over, and
// another agent look at their inbox meanwhile.
func longestAnswersTakeLittleMemory(w *world) {
	conversation := w.shared(callers...)
	w.memory()
	sue := w.visit("sue")
	var answers []*answer
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, name := range callers {
		by := w.as(name)
		all.Go(func() {
			got := by.crowd(22, 3*time.Second, func(n int) (string, vars) { return longAnswer(conversation, 1+n%16), nil })
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, got...)
		})
	}
	all.Wait()
	took := sue.times()
	used := w.memory()
	w.t.Logf("%d answers; at most %d MB; %d pages of another, half within %s, all within %s", len(answers), used>>20, len(took), took[len(took)/2], took[len(took)-1])
	require.Less(w.t, used, mostMemory)
	require.Greater(w.t, len(took), 3)
	require.Less(w.t, took[len(took)-1], 10*time.Second, "every page was answered")
	for _, a := range answers {
		require.Less(w.t, len(a.body), mostAnswer)
	}
}

// framesArePaidFor: an agent whose streams send much has nothing left to ask with.
func framesArePaidFor(w *world) {
	amy := w.as("amy")
	conversation := w.shared(callers...)
	w.memory()
	s := amy.dial()
	require.NotNil(w.t, s)
	defer func() { _ = s.CloseNow() }()
	watch := fmt.Sprintf(stream+` { conversationChanged(id: %q) { ... on MessageAdded { conversation { %s } } } }`, conversation, messages(1))
	for n := range 30 {
		s.subscribe(fmt.Sprint(n), watch, nil)
	}
	for range 30 {
		_, err := s.read(w.t.Context())
		require.NoError(w.t, err)
	}
	sent := make(chan int)
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		total := 0
		for {
			m, err := s.read(ctx)
			if err != nil {
				sent <- total
				return
			}
			total += len(m.Payload)
		}
	}()
	for n := range 12 {
		amy.note(conversation, fmt.Sprint("x", n))
	}
	require.Eventually(w.t, func() bool {
		got := amy.try(ctx, page, nil)
		return got != nil && got.code() == "LIMIT_EXCEEDED" && got.wait() > 0
	}, 30*time.Second, 50*time.Millisecond, "who was sent much waits")
	cancel()
	total := <-sent
	used := w.memory()
	w.t.Logf("%d MB were sent; at most %d MB of memory", total>>20, used>>20)
	require.Less(w.t, used, mostMemory)
}
