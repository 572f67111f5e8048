//go:build rolling

package rolling

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
)

// say has a customer write through the webhook of a version.
func (w *world) say(c *customer, at *side) error {
	text := w.next(c, at)
	req, err := sandbox.Compose(sandbox.DemoSecret, w.public+"/webhooks/sandbox/demo",
		sandbox.Entry{Type: "message", ID: c.number + text, From: c.number, To: c.to, Text: text})
	if err != nil {
		return err
	}
	req.URL.Host = at.process.Address
	status, body, err := at.client.Do(w.t.Context(), req)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("the webhook at %s was answered %d %s %w", at.name, status, body, err)
	}
	w.note(c, text)
	return nil
}

// next is a customer's next text, with the word of the version that takes it.
func (w *world) next(c *customer, at *side) string {
	return fmt.Sprintf("%s %s.%d", at.name, c.number[len(c.number)-4:], c.texts.Add(1))
}

// note keeps a text that was acknowledged.
func (w *world) note(c *customer, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	word, _, _ := strings.Cut(text, " ")
	w.written[c.number] = append(w.written[c.number], text)
	w.kept[word] = append(w.kept[word], text)
}

const sendMessage = `mutation($input: SendMessageInput!) { r: sendMessage(input: $input) { message { id } errors { code message } } }`

// send has ada send through a version, and repeat it through another, which must
// return the same message.
func (w *world) send(c *customer, at, again *side) error {
	text := w.next(c, at)
	input := map[string]any{"conversationId": c.id, "text": text, "idempotencyKey": strings.ReplaceAll(text, " ", "-"), "confirmForOwner": true}
	var ids [2]string
	for i, s := range []*side{at, again} {
		if err := s.mutate(w.t.Context(), "ada", sendMessage, input, &ids[i]); err != nil {
			return err
		}
	}
	if ids[0] != ids[1] {
		return fmt.Errorf("%s was sent twice", text)
	}
	w.note(c, text)
	return nil
}

// mutate runs a mutation whose field is named r, and wants no error in its payload;
// message, if not nil, becomes the message's id.
func (s *side) mutate(ctx context.Context, username, document string, input map[string]any, message *string) error {
	type problem struct{ Code, Message string }
	var answer struct {
		R struct {
			Message *struct{ ID string }
			Results []struct{ Error *problem }
			Errors  []problem
		}
	}
	if err := s.client.Query(ctx, username, document, map[string]any{"input": input}, &answer); err != nil {
		return fmt.Errorf("at %s: %w", s.name, err)
	}
	for _, result := range answer.R.Results {
		if result.Error != nil {
			answer.R.Errors = append(answer.R.Errors, *result.Error)
		}
	}
	if len(answer.R.Errors) > 0 {
		return fmt.Errorf("at %s: %v was refused: %v", s.name, input, answer.R.Errors)
	}
	if message != nil && answer.R.Message != nil {
		*message = answer.R.Message.ID
	}
	return nil
}

// writeOnce has every customer write through one version and get an answer through
// the other.
func (w *world) writeOnce(one, other *side) {
	w.t.Helper()
	w.together(func(c *customer) error { return errors.Join(w.say(c, one), w.send(c, other, one)) })
}

// desk does the rest of an agent's work in a conversation.
func (w *world) desk(c *customer, one, other *side) error {
	const (
		note     = `mutation($input: AddNoteInput!) { r: addNote(input: $input) { message { id } errors { code message } } }`
		assign   = `mutation($input: AssignConversationsInput!) { r: assignConversations(input: $input) { results { error { code message } } errors { code message } } }`
		markRead = `mutation($input: MarkConversationsReadInput!) { r: markConversationsRead(input: $input) { results { error { code message } } errors { code message } } }`
		unread   = `mutation($input: MarkConversationsUnreadInput!) { r: markConversationsUnread(input: $input) { results { error { code message } } errors { code message } } }`
		begin    = `mutation($input: StartConversationInput!) { r: startConversation(input: $input) { message { id } errors { code message } } }`
	)
	n := c.texts.Add(1)
	key := fmt.Sprintf("%s-%d", c.number, n)
	ids := []string{c.id}
	owner := [...]any{w.agent("amy"), nil, w.agent("sue")}[n%3]
	for _, step := range []struct {
		at       *side
		document string
		input    map[string]any
	}{
		{one, note, map[string]any{"conversationId": c.id, "text": "Note " + key, "idempotencyKey": key}},
		{other, note, map[string]any{"conversationId": c.id, "text": "Note " + key, "idempotencyKey": key}}, // the same again
		{other, assign, map[string]any{"ids": ids, "agentId": owner}},
		{one, markRead, map[string]any{"conversations": []any{map[string]any{"id": c.id, "upToMessageId": c.first}}, "confirmForOwner": true}},
		{other, markRead, map[string]any{"conversations": []any{map[string]any{"id": c.id}}, "confirmForOwner": true}},
		{one, unread, map[string]any{"ids": ids, "confirmForOwner": true}},
		{other, begin, map[string]any{"channelId": w.channel("Support"), "number": fmt.Sprintf("+1202556%s", c.number[8:]), "text": "Hello " + key, "idempotencyKey": "start" + key}},
	} {
		if err := step.at.mutate(w.t.Context(), "ada", step.document, step.input, nil); err != nil {
			return err
		}
	}
	return nil
}

// press has a version write until stop, which returns how often it did, and what
// failed.
func (w *world) press(s *side) (stop func() (calls int64, failed error)) {
	var all errgroup.Group
	var calls, over atomic.Int64
	for _, c := range w.customers {
		all.Go(func() error {
			for over.Load() == 0 {
				if err := errors.Join(w.say(c, s), w.send(c, s, s)); err != nil {
					return err
				}
				calls.Add(2)
			}
			return nil
		})
	}
	return func() (int64, error) {
		over.Store(1)
		err := all.Wait()
		return calls.Load(), err
	}
}

// hang has the carrier take what is sent now and not answer the first try, until it
// is released; underWay is how many it took so. Their receipts come when the sender
// has been killed.
func (w *world) hang() (underWay func() int64, release func()) {
	var hung atomic.Int64
	w.carrier.Script(func(sandbox.Message) sandbox.Plan {
		hung.Add(1)
		return sandbox.Plan{Reaction: sandbox.Hang, Tries: 1, Receipts: []sandbox.Step{
			{After: 3 * time.Second, Status: channel.Sent}, {Status: channel.Delivered},
		}}
	})
	return hung.Load, func() { w.carrier.Script(nil) }
}

// settle waits until nothing happens any more by itself: every send has arrived.
func (w *world) settle() {
	w.t.Helper()
	w.eventually(func() bool {
		return len(w.column(`SELECT text FROM messages WHERE direction = 'OUTBOUND' AND status <> 'DELIVERED' AND (`+ofCustomers+`)`)) == 0
	}, "every send is delivered")
}

// ofCustomers selects what was sent while the test ran; the seed's is never sent.
const ofCustomers = `text LIKE 'heron %' OR text LIKE 'falcon %' OR text LIKE 'Hello +%'`

// delivered wants the carrier to hold each of a conversation's sends once, in order.
func (w *world) delivered() {
	w.t.Helper()
	w.settle()
	got := map[string][]string{}
	for _, m := range w.carrier.Got() {
		got[m.To] = append(got[m.To], m.Text)
	}
	for _, c := range w.customers {
		want := w.column(`SELECT text FROM messages WHERE direction = 'OUTBOUND' AND text LIKE '% ` + c.number[len(c.number)-4:] + `.%' ORDER BY seq`)
		require.Equal(w.t, want, got[c.number], c.number)
	}
}

// everythingIsThere wants every acknowledged text to be stored once.
func (w *world) everythingIsThere() {
	w.t.Helper()
	for _, c := range w.customers {
		stored := w.column(`SELECT text FROM messages WHERE text LIKE '% ` + c.number[len(c.number)-4:] + `.%' ORDER BY text`)
		require.Equal(w.t, slices.Sorted(slices.Values(w.written[c.number])), slices.Sorted(slices.Values(stored)), c.number)
	}
	require.NotEmpty(w.t, slices.Collect(maps.Keys(w.written)))
}
