package upgrade_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// Customers, by what the newer program does with them.
const (
	spoiled = "+12025550191" // what they and the desk wrote, and their consent, are of new kinds
	pigeon  = "+12025550192" // writes to a channel of a new type
	raven   = "+12025550193" // writes to a channel of a new carrier
	waiting = "+12025550194" // gets a message of a new kind
	plain   = "+12025550195"
)

// kinds is what a newer program makes of what the customers and the desk wrote.
var kinds = []string{
	`UPDATE messages SET kind = 'HOLOGRAM', source = 'ORACLE', direction = 'SIDEWAYS', template_type = 'CARVED', rest = '[7]' WHERE text = 'A whale in the room'`,
	`UPDATE messages SET kind = 'TEMPLATE', status = 'DREAMT', error_code = 'P1' WHERE text = 'It is lit'`,
	`UPDATE attempts SET status = 'DREAMT', error_code = 'P1' WHERE message_id = (SELECT id FROM messages WHERE text = 'It is lit')`,
	`UPDATE messages SET kind = 'MEDIA', rest = '{"files":{}}' WHERE text = 'Look'`,
	`UPDATE messaging_users SET consent_status = 'SWORN' WHERE address = '` + spoiled + `'`,
	`UPDATE conversations SET last_direction = 'SIDEWAYS' WHERE id = ` + conversationOf(spoiled),
	`UPDATE channels SET type = 'PIGEON', required_consent = 'SWORN' WHERE address = '` + parleytest.Support + `'`,
	`UPDATE provider_accounts SET provider = 'raven' WHERE key = 'twilio-demo'`,
	`UPDATE agents SET role = 'AUDITOR' WHERE username = 'bo'`,
	`UPDATE permission_sets SET permissions = '["Fly","AssignConversation"]'`,
	`INSERT INTO bulk_operations (id, creator_id, action, idempotency_key, state, total, batch_size, refused, created_at)
		SELECT 901, id, 'ARCHIVE', 'archive', 'PENDING', 1, 100, '{}', created_at FROM agents WHERE username = 'ada'`,
	`INSERT INTO bulk_operations (id, creator_id, action, idempotency_key, state, stop_reason, total, batch_size, done, refused, created_at)
		SELECT 902, id, 'MARK_READ', 'asleep', 'ASLEEP', 'TIRED', 1, 100, 1, '{"TOO_HEAVY":1}', created_at FROM agents WHERE username = 'ada'`,
	`INSERT INTO river_job (args, kind, max_attempts, priority, queue, state) VALUES ('{"operation_id":901}', 'bulk_work', 25, 1, 'bulk', 'available')`,
	`INSERT INTO river_job (args, kind, max_attempts, priority, queue, state) VALUES ('{}', 'send_fax', 1, 1, 'default', 'available')`,
}

// desk is a Parley beside a newer program.
type desk struct {
	*parleytest.Parley
	ada *parleytest.Client
}

func beside(t *testing.T) *desk {
	t.Helper()
	p := parleytest.New(t).Run()
	d := &desk{Parley: p, ada: p.As("ada")}
	p.Say(plain, parleytest.Sales, "Hello")
	p.Say(waiting, parleytest.Sales, "Anything new?")
	p.Say(pigeon, parleytest.Support, "Coo")
	p.Say(raven, parleytest.Billing, "Kraa")
	p.Say(spoiled, parleytest.Sales, "Look")
	p.Say(spoiled, parleytest.Sales, "A whale in the room")
	d.send(spoiled, "It is lit")
	d.send(waiting, "Pick a time")
	d.Eventually(func() bool { return d.number(`SELECT COUNT(*) FROM attempts WHERE status = 'DELIVERED'`) == 2 }, "they are delivered")
	return d
}

func (d *desk) write(what func(ctx context.Context, tx *store.Tx) error) {
	d.T.Helper()
	require.NoError(d.T, d.Store.Write(d.System(), what))
}

func (d *desk) run(statements ...string) {
	d.T.Helper()
	d.write(func(ctx context.Context, tx *store.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(ctx, store.SQL(s)); err != nil {
				return err
			}
		}
		return nil
	})
}

// event is an event as the newer program records it, with facts as JSON.
type event struct {
	cause        string
	conversation int64
	facts        []byte
}

// newerLog is the newer program's way into the log.
var newerLog = &store.Deferred[event]{Name: "append events", Stage: store.Logging, Do: func(ctx context.Context, tx *store.Tx, events []event) error {
	for i, e := range events {
		insert := tx.Builder().Insert("events").Columns("id", "cause", "conversation_id", "facts", "created_at").
			Values(tx.First+int64(i), e.cause, e.conversation, e.facts, int64(tx.Now))
		if _, err := tx.Exec(ctx, insert); err != nil {
			return err
		}
	}
	return nil
}}

func (d *desk) record(cause, facts string) {
	d.T.Helper()
	d.write(func(_ context.Context, tx *store.Tx) error {
		newerLog.Defer(tx, event{cause: cause, facts: []byte(facts)})
		return nil
	})
}

// happens has the newer program record what this one does not know.
func (d *desk) happens() {
	d.T.Helper()
	d.record("MOON_ROSE", `{"moon":{"k":7}}`)
	d.record("MOON_SET", `{"a":"full","b":3,"g":"all"}`)
	d.record("MOON_SET", `7`)
	d.write(func(ctx context.Context, tx *store.Tx) error {
		archived := event{cause: "CONVERSATION_ARCHIVED"}
		err := tx.Query(ctx, store.SQL(`SELECT conversation_id, facts FROM events WHERE cause = 'MESSAGE_ADDED' AND conversation_id = `+conversationOf(spoiled)+` ORDER BY id DESC LIMIT 1`),
			func(r *sql.Rows) error { return r.Scan(&archived.conversation, &archived.facts) })
		archived.facts = slices.Concat([]byte(`{"shelf":{"a":1},`), archived.facts[1:])
		newerLog.Defer(tx, archived)
		return err
	})
}

func conversationOf(customer string) string {
	return `(SELECT id FROM conversations WHERE messaging_user_id = (SELECT id FROM messaging_users WHERE address = '` + customer + `'))`
}

func (d *desk) number(statement string) (n int64) {
	d.T.Helper()
	require.NoError(d.T, d.Store.Read(d.System(), store.System("a test looks"), store.SQL(statement), func(r *sql.Rows) error { return r.Scan(&n) }))
	return n
}

func (d *desk) page() parleytest.Tree {
	d.T.Helper()
	return d.ada.Do(`{ conversations(view: {kind: ALL}, first: 20) { totalCount feedCursor nodes { id mobileNumber preview lastMessageDirection
		channel { name type requiredConsent members { role } } messagingUser { consentStatus } sendability { canSend refusals { code } }
		lastMessage { ...said } messages(last: 10) { nodes { ...said } } } } }
		fragment said on Message { kind source direction status error { code message } channelTemplateType attempts { status error { message } }
			content { __typename ... on TextContent { text } ... on MediaContent { text } ... on EventContent { text } } }`, nil).Get("conversations")
}

// with is the conversation with a customer.
func (d *desk) with(customer string) parleytest.Tree {
	d.T.Helper()
	for _, c := range d.page().Get("nodes").List() {
		if c.Get("mobileNumber").String() == customer {
			return c
		}
	}
	require.Fail(d.T, "no conversation", customer)
	return parleytest.Tree{}
}

func (d *desk) send(customer, text string) parleytest.Tree {
	d.T.Helper()
	return d.ada.Do(`mutation($id: ID!, $text: String!, $key: String!) { sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $key, confirmForOwner: true}) {
		message { id } refusals { code } errors { code } } }`, parleytest.Vars{"id": d.with(customer).Get("id").String(), "text": text, "key": rand.Text()}).Get("sendMessage")
}

// A newer program beside this one stores kinds that this one does not know: they are
// shown as something that it does know, and nothing else is the worse for it.
func TestKindsOfANewerVersionCostNobodyButThemselves(t *testing.T) {
	t.Parallel()
	d := beside(t)
	d.run(kinds...)
	d.record("DIRECTORY_CHANGED", `{"realm":"sky"}`)
	d.directory()
	d.threads()
	d.operations()
	d.streams()
	d.lanes()
	d.examined()
}

// directory wants what the newer program gave agents and channels to be shown, and to
// allow nothing.
func (d *desk) directory() {
	d.Eventually(func() bool { return d.with(pigeon).Get("channel", "type").String() == "OTHER" }, "the channel's type is not known")
	require.Equal(d.T, "DOUBLE_OPT_IN", d.with(pigeon).Get("channel", "requiredConsent").String())
	bo := d.As("bo").Do(`{ viewer { agent { role } permissions } }`, nil).Get("viewer")
	require.Equal(d.T, []string{"OTHER", "[]"}, []string{bo.Get("agent", "role").String(), bo.Get("permissions").String()})
	amy := d.As("amy").Do(`{ viewer { permissions } }`, nil).Get("viewer", "permissions")
	require.Len(d.T, amy.List(), 4, "a standard agent's and one more: %s", amy)
	for _, customer := range []string{pigeon, raven, spoiled} {
		require.NotEmpty(d.T, d.send(customer, "Hello?").Get("refusals").List(), customer)
	}
}

// threads wants every message in lists, threads, counts and search.
func (d *desk) threads() {
	const sentence = "This version of Parley cannot show this message as it was sent. Its text: "
	page := d.page()
	require.Equal(d.T, 5, page.Get("totalCount").Int())
	require.Len(d.T, page.Get("nodes").List(), 5)
	c := d.with(spoiled)
	require.Equal(d.T, "PENDING", c.Get("messagingUser", "consentStatus").String())
	require.True(d.T, c.Get("lastMessageDirection").IsNull())
	messages := c.Get("messages", "nodes")
	require.Equal(d.T, sentence+"Look", messages.Get(0, "content", "text").String())
	require.Equal(d.T, `{"attempts":[],"channelTemplateType":null,"content":{"__typename":"EventContent","text":"`+sentence+`A whale in the room"},`+
		`"direction":null,"error":null,"kind":"EVENT","source":"SYSTEM","status":null}`, messages.Get(1).String())
	sent := messages.Get(2)
	require.Equal(d.T, []string{"UNKNOWN", "UNKNOWN", "P1", sentence + "It is lit"},
		[]string{sent.Get("status").String(), sent.Get("attempts", 0, "status").String(), sent.Get("error", "code").String(), sent.Get("content", "text").String()})
	require.Contains(d.T, sent.Get("error", "message").String(), "newer version")
	found := d.ada.Do(`{ search(query: "whale") { nodes { message { content { ... on EventContent { text } } } } } }`, nil).Get("search", "nodes").List()
	require.Len(d.T, found, 1)
	require.Equal(d.T, sentence+"A whale in the room", found[0].Get("message", "content", "text").String())
	inboxes := d.ada.Do(`{ viewer { inboxes { nodes { title counts { total } } } } }`, nil).Get("viewer", "inboxes", "nodes")
	require.Contains(d.T, inboxes.String(), `{"counts":{"total":1},"title":"Support"}`)
}

// operations wants other operations to be worked off, and what is not known, and its
// jobs, to be left to others.
func (d *desk) operations() {
	begun := d.ada.Do(`mutation { bulkMarkConversationsRead(input: {selection: {view: {kind: ALL}}, confirmForOwner: true, idempotencyKey: "b"}) {
		operation { id } errors { message } } }`, nil).Get("bulkMarkConversationsRead", "operation", "id").String()
	d.Eventually(func() bool {
		return d.ada.Do(`query($id: ID!) { bulkOperation(id: $id) { state } }`, parleytest.Vars{"id": begun}).Get("bulkOperation", "state").String() == "DONE"
	}, "what is known is done")
	all := d.ada.Do(`{ viewer { bulkOperations { nodes { id action state stopReason done refusals { code count } results { nodes { outcome } } } } } }`, nil)
	states := map[string]bool{}
	for _, op := range all.Get("viewer", "bulkOperations", "nodes").List() {
		states[op.Get("action").String()+" "+op.Get("state").String()+" "+op.Get("refusals").String()] = true
		if op.Get("state").String() == "PENDING" {
			refused := d.ada.Do(`mutation($id: ID!) { pauseBulkOperation(input: {id: $id}) { errors { code } } }`, parleytest.Vars{"id": op.Get("id").String()})
			require.Equal(d.T, "CONFLICT", refused.Get("pauseBulkOperation", "errors", 0, "code").String())
		}
	}
	require.Equal(d.T, map[string]bool{"OTHER PENDING []": true, `MARK_READ PENDING [{"code":"CONFLICT","count":1}]`: true, "MARK_READ DONE []": true}, states)
	require.EqualValues(d.T, 1, d.number(`SELECT COUNT(*) FROM river_job WHERE kind = 'send_fax' AND state = 'available' AND attempt = 0`))
	d.Eventually(func() bool {
		return d.number(`SELECT COUNT(*) FROM river_job WHERE kind = 'bulk_work' AND state IN ('available', 'scheduled') AND errors IS NULL`) == 1
	}, "the job waits for others")
	require.EqualValues(d.T, 2, d.number(`SELECT COUNT(*) FROM bulk_operations WHERE state IN ('PENDING', 'ASLEEP') AND finished_at = 0`))
}

// streams wants what can be told of an event to be told, the rest to be passed over,
// and nothing to be held up, live and replayed.
func (d *desk) streams() {
	after := d.page().Get("feedCursor").String()
	vars := parleytest.Vars{"after": after, "id": d.with(spoiled).Get("id").String()}
	open := func() []*parleytest.Socket {
		return []*parleytest.Socket{
			d.ada.Subscribe(`subscription($after: Cursor) { s: conversationsChanged(view: {kind: ALL}, after: $after) { kind cause conversation { mobileNumber } } }`, vars),
			d.ada.Subscribe(`subscription($id: ID!, $after: Cursor) { s: conversationChanged(id: $id, after: $after) { kind: __typename ... on ConversationUpdated { cause } } }`, vars),
			d.ada.Subscribe(`subscription { s: inboxCountsChanged { kind } }`, nil),
		}
	}
	live := open()
	for _, s := range live {
		s.Next()
	}
	d.happens()
	d.Say(plain, parleytest.Sales, "Still there?")
	require.Equal(d.T, "UPDATE", live[2].Next().Get("s", "kind").String())
	replayed := open()
	for _, s := range replayed {
		s.Next()
	}
	for _, streams := range [][]*parleytest.Socket{live, replayed} {
		require.Equal(d.T, `{"cause":"CONVERSATION_CHANGED","conversation":{"mobileNumber":"`+spoiled+`"},"kind":"UPDATE"}`, streams[0].Next().Get("s").String())
		require.Equal(d.T, `{"cause":"MESSAGE_ADDED","conversation":{"mobileNumber":"`+plain+`"},"kind":"UPDATE"}`, streams[0].Next().Get("s").String())
		require.Equal(d.T, `{"cause":"CONVERSATION_CHANGED","kind":"ConversationUpdated"}`, streams[1].Next().Get("s").String())
	}
}

// lanes wants what is known to be sent, and what is not to be left to others for a
// while.
func (d *desk) lanes() {
	const states = `SELECT COUNT(*) FROM attempts WHERE conversation_id = `
	d.run(`UPDATE messages SET kind = 'COMPONENT', status = 'QUEUED' WHERE text = 'Pick a time'`,
		`UPDATE attempts SET status = 'QUEUED', provider_id = NULL WHERE message_id = (SELECT id FROM messages WHERE text = 'Pick a time')`)
	require.False(d.T, d.send(waiting, "Have you seen it?").Get("message").IsNull())
	require.False(d.T, d.send(plain, "Yes").Get("message").IsNull())
	d.Eventually(func() bool { return d.number(states+conversationOf(plain)+` AND status = 'DELIVERED'`) == 1 }, "others are sent to")
	d.Eventually(func() bool {
		return d.number(`SELECT COUNT(*) FROM river_job WHERE kind = 'drain_lane' AND attempted_at IS NOT NULL AND state IN ('available', 'scheduled')`) > 0
	}, "the lane was looked at")
	require.EqualValues(d.T, 2, d.number(states+conversationOf(waiting)+` AND status = 'QUEUED'`), "it waits for a newer worker")
	d.Clock.Advance(16 * time.Minute)
	d.Eventually(func() bool {
		return d.number(states+conversationOf(waiting)+` AND status IN ('FAILED', 'DELIVERED')`) == 2
	}, "none came, and the lane goes on")
	require.EqualValues(d.T, 1, d.number(states+conversationOf(waiting)+` AND status = 'FAILED'`))
}

// examined wants the doctor to fail the carrier that is not known, and nothing else
// in the database.
func (d *desk) examined() {
	var failed []string
	carriers := slices.Collect(maps.Values(d.Messenger.Providers))
	doctor.Examine(d.T.Context(), doctor.Options{Database: d.Config.Database, Demo: true, Providers: carriers}, func(f doctor.Finding) {
		if f.Level == doctor.Fail && f.Check != "settings" {
			failed = append(failed, f.Check)
		}
	})
	require.Equal(d.T, []string{"account raven/twilio-demo"}, failed)
}
