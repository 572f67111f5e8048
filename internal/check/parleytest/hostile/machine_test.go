package hostile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// One agent, whatever they send, leaves the machine to the others.
func TestAnAgentDoesNotTakeTheMachine(t *testing.T) {
	w := newWorld(t, 6_000)
	w.attack(t, []attack{
		{"an answer has a bound, and so have its frames", answersAreBounded},
		{"sixty-four of the longest answers take little memory", longestAnswersTakeLittleMemory},
		{"frames are paid for", framesArePaidFor},
		{"a document costs what it does", documentsCostWhatTheyDo},
		{"the dearest documents leave others their answers", dearestDocumentsLeaveOthersTheirs},
		{"a stolen token is no phone bill", sendsHaveAQuota},
		{"beginning and cancelling comes to an end", bulkOperationsHaveAQuota},
	})
}

// The process may take so much, with all that is asked of it: the answers under
// way have 256 MB by default, and the garbage of them is collected when it is as
// much again.
const mostMemory = 900 << 20

// memory is the most that the process has had since it was last asked.
func (w *world) memory() int {
	w.t.Helper()
	folder := "/proc/" + strconv.Itoa(w.PID())
	status, err := os.ReadFile(folder + "/status")
	require.NoError(w.t, err)
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	kilobytes, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(folder+"/clear_refs", []byte("5"), 0))
	return kilobytes << 10
}

// page is what another agent does all day.
const page = `{ conversations(view: {kind: ALL}, first: 50) { nodes { id name preview isUnread newCount lastMessageAt owner { id name } } } }`

// visitor pages until it is stopped.
type visitor struct {
	stop  context.CancelFunc
	ended chan struct{}
	took  []time.Duration
}

func (w *world) visit(username string) *visitor {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	v, other := &visitor{stop: cancel, ended: make(chan struct{})}, w.as(username)
	go func() {
		defer close(v.ended)
		for ctx.Err() == nil {
			began := time.Now()
			got := other.try(context.WithoutCancel(ctx), page, nil)
			if took := time.Since(began); got != nil && got.status == 200 && len(got.Errors) == 0 {
				v.took = append(v.took, took)
			} else {
				v.took = append(v.took, time.Hour) // as bad as none
			}
			pause(ctx, 25*time.Millisecond) // within their own rate
		}
	}()
	return v
}

// times are how long the pages took, sorted.
func (v *visitor) times() []time.Duration {
	v.stop()
	<-v.ended
	return slices.Sorted(slices.Values(v.took))
}

// crowd sends documents, so many at once, for as long as it is let.
func (a *agent) crowd(size int, life time.Duration, document func(n int) (string, vars)) (answers []*answer) {
	ctx, cancel := context.WithTimeout(a.t.Context(), life)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range size {
		all.Go(func() {
			for ctx.Err() == nil {
				text, v := document(n)
				got := a.try(context.WithoutCancel(ctx), text, v)
				if got == nil {
					continue
				}
				mu.Lock()
				answers = append(answers, got)
				mu.Unlock()
				if got.status == 429 {
					pause(ctx, 50*time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	return answers
}

// shared is a conversation that the agents see, all of them.
func (w *world) shared(usernames ...string) (id string) {
	w.t.Helper()
	seen := map[string]int{}
	for _, name := range usernames {
		for _, o := range w.as(name).conversations() {
			if seen[o.ID]++; seen[o.ID] == len(usernames) {
				id = max(id, o.ID) // always the same
			}
		}
	}
	require.NotEmpty(w.t, id)
	return id
}

// longest gives a conversation a hundred notes of 40 kB.
func (a *agent) longest(conversation string) {
	a.t.Helper()
	text := string(bytes.Repeat([]byte("😀"), 10_000))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				a.ask(`mutation($in: AddNoteInput!) { addNote(input: $in) { message { id } } }`,
					vars{"in": vars{"conversationId": conversation, "text": text, "idempotencyKey": key()}})
			}
		})
	}
	all.Wait()
}

// messages selects the last hundred so many times.
func messages(times int) (selection string) {
	for n := range times {
		selection += fmt.Sprintf(` a%d: messages(last: 100) { nodes { content { ... on NoteContent { text } } } }`, n)
	}
	return selection
}

const mostAnswer = 9 << 20 // 8 MB by default

// dearest is the document with as many repetitions as the cost allows, which is
// looked for, so that no price of today is taken for granted.
func (a *agent) dearest(most int, document func(times int) string) (times int, text string) {
	a.t.Helper()
	for times = most; times > 0; times-- {
		text = document(times)
		got := a.ask(text, drafted)
		require.NotEqual(a.t, "GRAPHQL_VALIDATION_FAILED", got.code(), got.body)
		if got.code() != "LIMIT_EXCEEDED" {
			return times, text
		}
	}
	require.Fail(a.t, "nothing is allowed")
	return 0, ""
}
