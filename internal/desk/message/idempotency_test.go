package message_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/journal"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/store"
)

// ids collects which message each key was answered with.
type ids struct {
	mu    sync.Mutex
	byKey map[string]map[string]bool
}

func (s *ids) add(key, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string]map[string]bool{}
	}
	if s.byKey[key] == nil {
		s.byKey[key] = map[string]bool{}
	}
	s.byKey[key][id] = true
}

// bombard repeats every send, from many callers at once, and returns the answers.
func bombard(sends, repeats int, callers ...*thread) *ids {
	var wg sync.WaitGroup
	var got ids
	for i := range sends * repeats {
		wg.Go(func() {
			n := i % sends
			key := fmt.Sprintf("key-%d", n)
			payload := callers[i%len(callers)].ask(fmt.Sprintf("text %d", n), key)
			got.add(key, payload.Get("message", "id").String())
		})
	}
	wg.Wait()
	return &got
}

func requireExactly(t *testing.T, sends int, got *ids, c *thread) {
	t.Helper()
	require.Len(t, got.byKey, sends)
	distinct := map[string]bool{}
	for key, answers := range got.byKey {
		require.Len(t, answers, 1, key)
		for id := range answers {
			require.NotEmpty(t, id, key)
			distinct[id] = true
		}
	}
	require.Len(t, distinct, sends)
	require.Equal(t, sends+1, count(t, c.p, "messages", nil), "with the customer's hello")
	c.p.Eventually(func() bool { return len(c.p.Carrier.Got()) >= sends }, "everything leaves")
	for id := range distinct {
		c.becomes(id, "DELIVERED")
	}
	require.Len(t, c.p.Carrier.Got(), sends)
}

func TestAThousandConcurrentRetriesOfFiftySendsAreFiftyMessages(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	c := begin(p, customer, parleytest.Sales)
	requireExactly(t, 50, bombard(50, 20, c), c)
}

func TestAKeyCountsOnceAcrossProcesses(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	first := parleytest.OpenAt(t, database)
	second := parleytest.OpenAt(t, database, func(c *app.Config) { c.Carrier = first.Carrier })
	a := begin(first.Run(), customer, parleytest.Sales)
	second.Run()
	b := &thread{Client: second.As("amy"), p: second, id: a.id, key: a.key}
	requireExactly(t, 20, bombard(20, 10, a, b), a)
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func TestAKeyWithAnotherPayloadIsAConflict(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	first := c.ask("one", "k").Get("message", "id").String()
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(c.ask("two", "k")))
	require.Equal(t, "input.idempotencyKey", c.ask("two", "k").Get("errors", 0, "field").String())
	require.Equal(t, first, c.ask("one", "k").Get("message", "id").String())
}

func TestKeysArePerAgentAndMutation(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy := begin(p, customer, parleytest.Sales)
	bo := &thread{Client: p.As("bo"), p: p, id: amy.id, key: amy.key}
	first := amy.ask("one", "k").Get("message", "id").String()
	second := bo.ask("one", "k").Get("message", "id").String()
	require.NotEmpty(t, second)
	require.NotEqual(t, first, second)
	note := amy.Do(`mutation($id: ID!) { addNote(input: {conversationId: $id, text: "one", idempotencyKey: "k"}) { errors { code } message { id } } }`,
		parleytest.Vars{"id": amy.id}).Get("addNote")
	require.Empty(t, note.Get("errors").List())
	require.NotEqual(t, first, note.Get("message", "id").String())
}

// consent sets what the customer has agreed to.
func (c *thread) consent(to channel.Consent) {
	c.write(func(ctx context.Context, tx *ent.Client) error {
		return tx.MessagingUser.Update().Where(messaginguser.Address(customer)).SetConsentStatus(to).Exec(ctx)
	})
}

// write changes the database as the system.
func (c *thread) write(fn func(context.Context, *ent.Client) error) {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Store.Write(c.p.System(), func(ctx context.Context, tx *store.Tx) error { return fn(journal.Within(ctx, tx), tx.Ent) }))
}

func TestARefusalIsNotRemembered(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	c.consent(channel.OptOut)
	refused := c.ask("one", "k")
	require.Equal(t, "SEND_REFUSED", code(refused))
	require.Equal(t, "OPTED_OUT", refused.Get("refusals", 0, "code").String())
	require.Zero(t, count(t, c.p, "idempotency_keys", nil))
	c.consent(channel.ExplicitOptIn)
	require.Equal(t, "QUEUED", c.ask("one", "k").Get("message", "status").String())
}

func TestKeysAreForgottenAfterAWeek(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	first := c.ask("one", "k").Get("message", "id").String()
	forget := func() int64 {
		n, err := idempotency.Forget(c.p.System(), c.p.Store)
		require.NoError(t, err)
		return n
	}
	c.p.Clock.Advance(idempotency.KeyLifetime)
	require.Zero(t, forget())
	require.Equal(t, first, c.ask("one", "k").Get("message", "id").String())
	c.p.Clock.Advance(time.Second)
	require.EqualValues(t, 1, forget())
	require.NotEqual(t, first, c.ask("one", "k").Get("message", "id").String())
}

func TestBadKeysAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	for _, key := range []string{"", " ", "with space", "tab\t", strings.Repeat("k", 65), "émile", "\x7f", "a\x00b"} {
		require.Equal(t, "BAD_INPUT", code(c.ask("one", key)), "%q", key)
		require.Equal(t, "BAD_INPUT", code(c.retry(c.id, key)), "%q", key)
		for _, mutation := range []string{
			`addNote(input: {conversationId: $id, text: "x", idempotencyKey: $key}) { errors { code field } }`,
			`startConversation(input: {channelId: $id, number: "1", text: "x", idempotencyKey: $key}) { errors { code field } }`,
		} {
			answer := c.Raw("mutation($id: ID!, $key: String!) { it: "+mutation+" }", parleytest.Vars{"id": c.id, "key": key})
			require.Contains(t, string(answer.Data), `"code":"BAD_INPUT"`, "%q", key)
			require.Contains(t, string(answer.Data), `"field":"input.idempotencyKey"`, "%q", key)
		}
	}
	for _, key := range []string{"k", "~!@#$%^&*()", strings.Repeat("k", 64)} {
		require.Empty(t, code(c.ask("one", key)), key)
	}
}
