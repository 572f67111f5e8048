package message_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

const customer = "+12025550199"

// adapter is the whole of the sandbox's adapter.
type adapter interface {
	channel.Provider
	channel.Caller
}

// hook replaces what the sandbox's adapter does with a send.
type hook struct {
	adapter
	send    func(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result
	keyless bool
}

func (h *hook) TakesKey() bool { return !h.keyless }

func (h *hook) Send(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
	if h.send == nil {
		return h.adapter.Send(ctx, a, m)
	}
	return h.send(ctx, a, m)
}

// hooked puts a hook in front of the sandbox, before the Parley runs.
func hooked(p *parleytest.Parley) *hook {
	h := &hook{adapter: p.Messenger.Providers["sandbox"].(adapter)}
	p.Messenger.Providers["sandbox"] = h
	return h
}

// thread is a conversation as one agent works it.
type thread struct {
	*parleytest.Client
	p   *parleytest.Parley
	id  string
	key int64
}

// begin makes the customer say hello and opens the conversation as amy.
func begin(p *parleytest.Parley, from, to string) *thread {
	p.T.Helper()
	p.Say(from, to, "Hello")
	amy := p.As("amy")
	list := amy.Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id mobileNumber channel { address } } } }`, nil)
	for _, n := range list.Get("conversations", "nodes").List() {
		if n.Get("mobileNumber").String() == from && n.Get("channel", "address").String() == to {
			key, ok := p.Conversations.IDs.Decode(publicid.Conversation, n.Get("id").String())
			require.True(p.T, ok)
			return &thread{Client: amy, p: p, id: n.Get("id").String(), key: key}
		}
	}
	require.Fail(p.T, "no conversation with the customer")
	return nil
}

const sendMutation = `mutation($id: ID!, $text: String!, $key: String!) {
	sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $key}) {
		errors { code field } refusals { code } message { id number status } } }`

// ask sends and returns the payload.
func (c *thread) ask(text, key string) parleytest.Tree {
	c.p.T.Helper()
	return c.Do(sendMutation, parleytest.Vars{"id": c.id, "text": text, "key": key}).Get("sendMessage")
}

// send sends what must be taken and returns the message's id.
func (c *thread) send(text string) string {
	c.p.T.Helper()
	payload := c.ask(text, rand.Text())
	require.Empty(c.p.T, payload.Get("errors").List(), payload.String())
	return payload.Get("message", "id").String()
}

// retry tries a message again and returns the payload.
func (c *thread) retry(id, key string) parleytest.Tree {
	c.p.T.Helper()
	return c.Do(`mutation($id: ID!, $key: String!) { retryMessage(input: {messageId: $id, idempotencyKey: $key}) {
		errors { code message } refusals { code } message { id status } } }`, parleytest.Vars{"id": id, "key": key}).Get("retryMessage")
}

// message reads a message with its attempts.
func (c *thread) message(id string) parleytest.Tree {
	c.p.T.Helper()
	return c.Do(`query($id: ID!) { node(id: $id) { ... on Message {
		status number error { code message } attempts { number status error { code } } } } }`, parleytest.Vars{"id": id}).Get("node")
}

func (c *thread) status(id string) string { return c.message(id).Get("status").String() }

// attempts are the statuses of a message's attempts, oldest first.
func (c *thread) attempts(id string) []string {
	var out []string
	for _, a := range c.message(id).Get("attempts").List() {
		out = append(out, a.Get("status").String())
	}
	return out
}

func (c *thread) becomes(id, status string) {
	c.p.T.Helper()
	c.p.Eventually(func() bool { return c.status(id) == status }, id+" becomes "+status)
}

// drain does what the lane's job does.
func (c *thread) drain() {
	c.p.T.Helper()
	_, err := c.p.Messenger.Drain(context.Background(), c.key)
	require.NoError(c.p.T, err)
}

// statuses are what the log says became of a message, in order.
func (c *thread) statuses(id string) []string {
	c.p.T.Helper()
	key, ok := c.p.Conversations.IDs.Decode(publicid.Message, id)
	require.True(c.p.T, ok)
	var out []string
	q := c.p.Store.Builder().Select("facts").From(entsql.Table("events")).Where(entsql.And(
		entsql.EQ("message_id", key), entsql.EQ("cause", "MESSAGE_STATUS_CHANGED"))).OrderBy("id")
	require.NoError(c.p.T, c.p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var facts []byte
		if err := rows.Scan(&facts); err != nil {
			return err
		}
		var said struct {
			Status string `json:"st"`
		}
		err := json.Unmarshal(facts, &said)
		out = append(out, said.Status)
		return err
	}))
	return out
}

// asIfMissed undoes what a receipt did to the only message, as if its process had
// not seen the attempt.
func (c *thread) asIfMissed(id string) {
	c.p.T.Helper()
	key, ok := c.p.Conversations.IDs.Decode(publicid.Message, id)
	require.True(c.p.T, ok)
	require.NoError(c.p.T, c.p.Store.Write(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		for _, update := range []*entsql.UpdateBuilder{
			tx.Builder().Update("raw_inbounds").Set("state", "PENDING").Where(entsql.NEQ("provider_id", "")),
			tx.Builder().Update("attempts").Set("status", "SENT").Where(entsql.EQ("message_id", key)),
			tx.Builder().Update("messages").Set("status", "SENT").Where(entsql.EQ("id", key)),
		} {
			if _, err := tx.Exec(ctx, update); err != nil {
				return err
			}
		}
		return nil
	}))
}

// secondAccount makes another sandbox account and returns its webhook key.
func secondAccount(c *thread) string {
	c.p.T.Helper()
	require.NoError(c.p.T, c.p.Directory.Change(c.p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Create().SetKey("other").SetProvider("sandbox").SetName("Other").
			SetSecret("other-secret").SetCreatedAt(tx.Now).Exec(ctx)
	}))
	return "other"
}

// count counts the rows of a table for which where holds; nil for all.
func count(t testing.TB, p *parleytest.Parley, table string, where *entsql.Predicate) (n int) {
	t.Helper()
	q := p.Store.Builder().Select(entsql.Count("*")).From(entsql.Table(table))
	if where != nil {
		q.Where(where)
	}
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

// number is the n-th customer's phone number.
func number(n int) string { return fmt.Sprintf("+1202555%04d", 1000+n) }

// post posts a signed request and says what was answered.
func post(p *parleytest.Parley, req *http.Request, err error) int {
	p.T.Helper()
	require.NoError(p.T, err)
	return p.Answer(req).Code
}
