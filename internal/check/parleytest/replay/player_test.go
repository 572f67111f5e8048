package replay_test

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/access"
	"parley/internal/desk/account"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
	"parley/internal/desk/staff"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// conversation is a new one, which amy sees and may work.
func (p *player) conversation() string {
	number := fmt.Sprintf("+1202555%04d", 1000+p.customers())
	p.Say(number, parleytest.Sales, "Hello")
	return p.only(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, "conversations", "nodes", 0, "id")
}

// customer is a new one.
func (p *player) customer() string {
	return p.only(`{ conversation(id: "`+p.conversation()+`") { messagingUser { id } } }`, "conversation", "messagingUser", "id")
}

// last is the last message of a conversation.
func (p *player) last(conversation string) string {
	return p.only(`{ conversation(id: "`+conversation+`") { lastMessage { id } } }`, "conversation", "lastMessage", "id")
}

func (p *player) bo() string {
	return p.Conversations.IDs.Encode(publicid.Agent, p.Directory.AgentNamed("bo").Key)
}

func (p *player) channel() string {
	return p.only(`{ viewer { channels { id } } }`, "viewer", "channels", 0, "id")
}

// customers is how many there are, merged ones too.
func (p *player) customers() int {
	n, err := p.Store.Ent.MessagingUser.Query().Count(p.System())
	require.NoError(p.t, err)
	return n
}

func (p *player) only(query string, path ...any) string {
	return p.As("amy").Do(query, nil).Get(path...).String()
}

// quickText is one that amy may change.
func (p *player) quickText() string {
	return p.only(`{ quickTexts(filterBy: {scope: MINE}, first: 1) { nodes { id } } }`, "quickTexts", "nodes", 0, "id")
}

// agent is a new one.
func (p *player) agent() string {
	made, err := p.Schema.Staff.CreateAgent(p.System(), staff.CreateAgentInput{
		Username: rand.Text(), Name: "New", Role: viewer.Standard, IdempotencyKey: rand.Text(),
	})
	require.NoError(p.t, err)
	return made.ID
}

// account is a new provider account.
func (p *player) account() string {
	made, err := p.Schema.Accounts.Create(p.System(), account.CreateInput{
		Provider: "sandbox", Name: rand.Text(), Credentials: []account.CredentialInput{{Name: "secret", Value: "hush"}}, IdempotencyKey: rand.Text(),
	})
	require.NoError(p.t, err)
	return made.ID()
}

// connection is a new one, of a webhook.
func (p *player) connection() string {
	made, _, err := p.Schema.Syncs.Create(p.System(), crmsync.CreateInput{Name: rand.Text(), Kind: crmsync.Webhook, IdempotencyKey: rand.Text()})
	require.NoError(p.t, err)
	return made.ID()
}

// me is amy.
func (p *player) me() string { return p.Directory.AgentNamed("amy").ID }

// token is a new access token of amy's.
func (p *player) token() string {
	made, _, err := p.Schema.Access.Create(p.Context("amy"), access.CreateInput{
		AgentID: p.me(), Name: "New", Scopes: []viewer.Scope{viewer.Read}, ExpiresAt: clock.Of(time.Now().Add(time.Hour)), IdempotencyKey: rand.Text(),
	})
	require.NoError(p.t, err)
	return made.ID()
}

// permissionSet is a new one.
func (p *player) permissionSet() string {
	made, err := p.Schema.Staff.CreatePermissionSet(p.System(), staff.CreatePermissionSetInput{Name: rand.Text(), IdempotencyKey: rand.Text()})
	require.NoError(p.t, err)
	return made.ID()
}

// newChannel is one that nobody uses.
func (p *player) newChannel() string {
	made, err := p.Schema.Switchboard.CreateChannel(p.System(), switchboard.CreateChannelInput{
		ProviderAccountID: p.account(), Type: channel.Web, Address: rand.Text(), Name: "New", IdempotencyKey: rand.Text(),
	})
	require.NoError(p.t, err)
	return made.ID
}

// queue is a new one.
func (p *player) queue() string {
	made, err := p.Schema.Switchboard.CreateQueue(p.System(), switchboard.CreateQueueInput{Name: rand.Text(), IdempotencyKey: rand.Text()})
	require.NoError(p.t, err)
	return made.ID
}

// failed is a message that the carrier refused.
func (p *player) failed() string {
	sent := p.As("amy").Do(`mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }`,
		parleytest.Vars{"input": parleytest.Vars{"conversationId": p.conversation(), "text": "Hello #reject=2001", "idempotencyKey": rand.Text()}}).
		Get("sendMessage", "message", "id").String()
	p.Eventually(func() bool {
		return p.only(`{ node(id: "`+sent+`") { ... on Message { status } } }`, "node", "status") == "FAILED"
	}, "the message failed")
	return sent
}

// record is one that amy sees.
func (p *player) record() parleytest.Tree {
	for _, row := range p.As("amy").Do(`{ conversations(view: {kind: ALL}, filterBy: {objectType: "Contact"}, first: 1) { nodes { record { id objectType externalId } } } }`, nil).
		Get("conversations", "nodes").List() {
		if record := row.Get("record"); !record.IsNull() {
			return record
		}
	}
	require.Fail(p.t, "the demo has no record")
	return parleytest.Tree{}
}

// linkingRule is a new one.
func (p *player) linkingRule() string {
	made, err := p.Schema.Linking.Create(p.System(), linking.CreateInput{
		ChannelID: p.channel(), Name: rand.Text(), ObjectType: "Contact", Mode: match.Suggested, IdempotencyKey: rand.Text(),
	})
	require.NoError(p.t, err)
	return made.ID
}

// recordID is that of a new record.
func (p *player) recordID() string {
	return p.As("ada").Do(`mutation($r: UpsertRecordInput!) { upsertRecords(input: {records: [$r]}) { results { record { id } } } }`,
		parleytest.Vars{"r": map[string]any{"objectType": "Contact", "externalId": rand.Text(), "fields": []map[string]any{{"name": "LastName", "text": "New"}}}}).
		Get("upsertRecords", "results", 0, "record", "id").String()
}

const newRecord = "NEW"

func (p *player) newRecord() map[string]any {
	return map[string]any{"objectType": "Contact", "externalId": newRecord, "fields": []map[string]any{{"name": "LastName", "text": "New"}}}
}

// paused is a bulk operation of amy's that waits to be gone on with.
func (p *player) linked() string {
	begun, err := p.Bulk.Link(p.Context("ada"), bulk.LinkInput{Selection: &bulk.Selection{IDs: []string{p.conversation()}}, IdempotencyKey: rand.Text()})
	require.NoError(p.t, err)
	id := begun.Operation.ID()
	p.Eventually(func() bool {
		op, err := p.Bulk.Get(p.Context("ada"), id)
		return err == nil && op.Ended()
	}, "it has ended")
	return id
}

func (p *player) paused() (id string) {
	everything := &bulk.Selection{View: &conversation.View{Kind: conversation.All}}
	p.Eventually(func() bool { // a worker may be quicker
		begun, err := p.Bulk.MarkRead(p.Context("amy"), bulk.MarkInput{Selection: everything, IdempotencyKey: rand.Text()})
		require.NoError(p.t, err)
		id = begun.Operation.ID()
		_, err = p.Bulk.Pause(p.Context("amy"), id)
		return err == nil
	}, "it was paused")
	p.t.Cleanup(func() { _, _ = p.Bulk.Cancel(p.Context("amy"), id) })
	return id
}
