package resolvers_test

import (
	"fmt"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// longNotes gives a conversation of amy's a hundred notes of 40 kB.
func longNotes(t *testing.T) (p *parleytest.Parley, conversation string) {
	p = parleytest.New(t)
	p.Say("+12025550151", parleytest.Sales, "hello")
	amy := p.As("amy")
	conversation = amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	for i := range 100 {
		amy.Do(`mutation($in: AddNoteInput!) { addNote(input: $in) { message { id } errors { code } } }`, parleytest.Vars{"in": parleytest.Vars{
			"conversationId": conversation, "text": strings.Repeat("😀", 10_000), "idempotencyKey": fmt.Sprint("n", i),
		}})
	}
	return p, conversation
}

// dearest asks for the last hundred messages so many times.
func dearest(conversation string, times int) string {
	b := strings.Builder{}
	fmt.Fprintf(&b, `{ conversation(id: %q) {`, conversation)
	for i := range times {
		fmt.Fprintf(&b, ` a%d: messages(last: 100) { nodes { content { ... on NoteContent { text } } } }`, i)
	}
	return b.String() + ` } }`
}

// TestSixtyFourDearestDocuments sends them at once, and looks at the memory that
// the process has in use.
func TestSixtyFourDearestDocuments(t *testing.T) {
	p, conversation := longNotes(t)
	amy := p.As("amy")
	require.Greater(t, len(amy.Raw(dearest(conversation, 1), nil).Data), 4_000_000, "what fits is answered whole")

	const most = 700 << 20
	done, peak := make(chan struct{}), make(chan uint64)
	go watchMemory(done, peak)
	var callers sync.WaitGroup
	codes := make([][]string, 64)
	for i := range codes {
		callers.Go(func() { codes[i] = amy.Raw(dearest(conversation, 13), nil).Codes() })
	}
	callers.Wait()
	close(done)
	used := <-peak
	t.Logf("at most %d MB", used>>20)
	require.Less(t, used, uint64(most))
	for _, c := range codes {
		require.Len(t, c, 1)
		require.Contains(t, []string{"LIMIT_EXCEEDED", "UNAVAILABLE"}, c[0])
	}
	require.Greater(t, len(amy.Raw(dearest(conversation, 1), nil).Data), 4_000_000, "all room was given back")
}

// TestThirtyStreamsOfTheDearestFrames subscribes to a conversation with a hundred
// long notes in each frame, thirty times over, and lets three more be noted.
func TestThirtyStreamsOfTheDearestFrames(t *testing.T) {
	p, conversation := longNotes(t)
	p.Run()
	amy := p.As("amy")
	const most = 500 << 20
	socket := amy.Dial()
	for i := range 30 {
		socket.Start(fmt.Sprint("s", i), `subscription($id: ID!) { conversationChanged(id: $id) { ... on Reset { cursor } ... on MessageAdded {
			cursor conversation { messages(last: 100) { nodes { content { ... on NoteContent { text } } } } } } } }`, parleytest.Vars{"id": conversation})
	}
	next := func() parleytest.Frame {
		frame, err := socket.Read(time.Minute)
		require.NoError(t, err)
		return frame
	}
	for range 30 {
		require.Equal(t, "next", next().Type)
	}
	done, peak := make(chan struct{}), make(chan uint64)
	go watchMemory(done, peak)
	for i := range 3 {
		amy.Do(`mutation($in: AddNoteInput!) { addNote(input: $in) { message { id } errors { code } } }`, parleytest.Vars{"in": parleytest.Vars{
			"conversationId": conversation, "text": "short", "idempotencyKey": fmt.Sprint("m", i),
		}})
	}
	frames, ended := map[string]int{}, 0
	for whole := 0; whole+ended < 30; {
		frame := next()
		if frame.Type == "error" { // there was no room: it goes on from the cursor
			require.Regexp(t, `"(UNAVAILABLE|LIMIT_EXCEEDED)"`, string(frame.Payload))
			require.Contains(t, string(frame.Payload), `"cursor":`)
			ended++
			continue
		}
		require.Greater(t, len(frame.Payload), 3_800_000)
		if frames[frame.ID]++; frames[frame.ID] == 3 {
			whole++
		}
	}
	close(done)
	used := <-peak
	t.Logf("at most %d MB", used>>20)
	require.Less(t, used, uint64(most))
	require.Less(t, ended, 30)
}

// watchMemory gives the most that objects took.
func watchMemory(done <-chan struct{}, peak chan<- uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	most := uint64(0)
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		metrics.Read(sample)
		most = max(most, sample[0].Value.Uint64())
		select {
		case <-done:
			tick.Stop()
			peak <- most
			return
		case <-tick.C:
		}
	}
}
