package switchboard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

type vars = parleytest.Vars

// bundle is the demo organisation: ada is its only administrator.
type bundle struct {
	*parleytest.Parley
	made int
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	return &bundle{Parley: parleytest.New(t, options...)}
}

// fields are what each mutation answers.
var fields = map[string]string{
	"Channel": `channel { id name type address developerName country isActive requiredConsent queue { name } members { username }
		limits { messagesPerSecond messagesPerMonth messagesPerInbound customersPerDay } }`,
	"Queue": `queue { id name members { username } channels { name } }`,
}

// call calls a mutation of channels or queues.
func (b *bundle) call(by, mutation string, input vars) parleytest.Tree {
	b.T.Helper()
	what := "Queue"
	if strings.Contains(mutation, "Channel") {
		what = "Channel"
	}
	selection := fields[what]
	if mutation == "deleteQueue" {
		selection = `deletedId conversations`
	}
	if mutation == "deactivateChannel" {
		selection += ` unsentMessages`
	}
	typed := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	if strings.HasPrefix(mutation, "create") && input["idempotencyKey"] == nil {
		b.made++
		input["idempotencyKey"] = fmt.Sprint("key-", b.made)
	}
	return b.As(by).Do(`mutation($i: `+typed+`) { `+mutation+`(input: $i) { `+selection+` errors { code field message } } }`, vars{"i": input}).Get(mutation)
}

func (b *bundle) agent(username string) string { return b.Directory.AgentNamed(username).ID }

func (b *bundle) account(key string) string {
	return b.IDs().Encode(publicid.Account, b.Directory.Account(key).ID)
}

// IDs encodes ids.
func (b *bundle) IDs() *publicid.Codec { return b.Conversations.IDs }

// channelAt is the id of the channel with an address.
func (b *bundle) channelAt(address string) string {
	for _, c := range b.Directory.Channels() {
		if c.Address == address {
			return c.ID
		}
	}
	require.Fail(b.T, "no channel has the address", address)
	return ""
}

func (b *bundle) supportQueue() string { return b.Directory.Queues()[0].ID }

// number is the input of a channel on the demo's sandbox account.
func (b *bundle) number(address string, more vars) vars {
	input := vars{"providerAccountId": b.account("demo"), "type": "SMS_LONG_CODE", "address": address, "name": "New"}
	for name, value := range more {
		input[name] = value
	}
	return input
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func message(payload parleytest.Tree) string {
	if code(payload) == "" {
		return ""
	}
	return payload.Get("errors", 0, "field").String() + ": " + payload.Get("errors", 0, "message").String()
}

// inputs are of every mutation, with these ids.
func (b *bundle) inputs(account, c, queue, agent string) map[string]vars {
	return map[string]vars{
		"createChannel":        b.number("+12025550900", vars{"providerAccountId": account, "queueId": queue, "memberIds": []string{agent}}),
		"updateChannel":        {"id": c, "queueId": queue},
		"activateChannel":      {"id": c},
		"deactivateChannel":    {"id": c, "dryRun": true},
		"addChannelMembers":    {"id": c, "agentIds": []string{agent}},
		"removeChannelMembers": {"id": c, "agentIds": []string{agent}},
		"createQueue":          {"name": "New", "memberIds": []string{agent}},
		"updateQueue":          {"id": queue, "name": "Renamed"},
		"deleteQueue":          {"id": queue, "dryRun": true},
		"addQueueMembers":      {"id": queue, "agentIds": []string{agent}},
		"removeQueueMembers":   {"id": queue, "agentIds": []string{agent}},
	}
}

// Others cannot tell a queue or an account that is there from one that is not.
func TestOnlyAdministratorsManageChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	absent := func(kind publicid.Kind) string { return b.IDs().Encode(kind, 1<<40) }
	none := b.inputs(absent(publicid.Account), absent(publicid.Channel), absent(publicid.Queue), absent(publicid.Agent))
	some := b.inputs(b.account("demo"), b.channelAt(parleytest.Sales), b.supportQueue(), b.agent("bo"))
	for _, username := range []string{"amy", "bo", "sue"} {
		for mutation, input := range some {
			nothing := b.call(username, mutation, none[mutation])
			require.Equal(t, "FORBIDDEN", code(nothing), mutation)
			require.Contains(t, message(nothing), "CONFIGURE_MESSAGING")
			require.Equal(t, nothing.String(), b.call(username, mutation, input).String(), "%s by %s", mutation, username)
		}
	}
	for mutation, input := range none {
		if mutation != "createQueue" {
			require.Equal(t, "NOT_FOUND", code(b.call("ada", mutation, input)), mutation)
		}
	}
	for mutation, input := range some {
		require.Empty(t, message(b.call("ada", mutation, input)), mutation)
	}
}

// Whoever does not work a queue does not learn of it, and webhook URLs are for
// administrators.
func TestWhatChannelsAndQueuesShow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const document = `query($q: ID!) { queues { name members { username } channels { name } } channels { name queue { name } webhookUrls { messages statuses } } node(id: $q) { id } }`
	for username, sees := range map[string]bool{"amy": false, "bo": true, "sue": true, "ada": true} {
		answer := b.As(username).Raw(document, vars{"q": b.supportQueue()})
		if sees {
			require.Empty(t, answer.Errors, username)
		} else {
			require.Equal(t, []string{"NOT_FOUND"}, answer.Codes(), username)
		}
		got := b.As(username).Do(strings.NewReplacer("node(id: $q) { id }", "", "query($q: ID!) ", "").Replace(document), nil)
		queues, support := "[]", ""
		if sees {
			queues, support = `[{"channels":[{"name":"Support"}],"members":[{"username":"bo"},{"username":"sue"}],"name":"Support"}]`, `{"name":"Support"}`
		}
		require.Equal(t, queues, got.Get("queues").String(), username)
		for _, c := range got.Get("channels").List() {
			if c.Get("name").String() == "Support" {
				require.Equal(t, support, c.Get("queue").String(), username)
			}
			urls := ""
			if username == "ada" {
				at := "http://parley.test/webhooks/sandbox/demo"
				if c.Get("name").String() == "Billing" {
					at = "http://parley.test/webhooks/twilio/twilio-demo"
				}
				urls = `{"messages":"` + at + `","statuses":"` + at + `"}`
			}
			require.Equal(t, urls, c.Get("webhookUrls").String(), username)
		}
	}
	unconfigured := setup(t, func(c *app.Config) { c.PublicURL = "" })
	require.True(t, unconfigured.As("ada").Do(`{ channels { webhookUrls { messages } } }`, nil).Get("channels", 0, "webhookUrls").IsNull())
}

func TestAChannelIsCreatedOnceAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	input := func(name string) vars {
		return b.number(" (202) 555-0177", vars{
			"name": name, "developerName": "Main_Line", "country": "us", "queueId": b.supportQueue(), "requiredConsent": "IMPLICIT_OPT_IN",
			"memberIds": []string{b.agent("bo"), b.agent("bo")}, "limits": vars{"messagesPerSecond": 5}, "idempotencyKey": "once",
		})
	}
	made := b.call("ada", "createChannel", input("Main"))
	id := b.channelAt("+12025550177")
	require.Equal(t, `{"address":"+12025550177","country":"US","developerName":"Main_Line","id":"`+id+`","isActive":true,`+
		`"limits":{"customersPerDay":null,"messagesPerInbound":3,"messagesPerMonth":15000,"messagesPerSecond":5},"members":[{"username":"bo"}],"name":"Main",`+
		`"queue":{"name":"Support"},"requiredConsent":"IMPLICIT_OPT_IN","type":"SMS_LONG_CODE"}`, made.Get("channel").String())
	head, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, made.String(), b.call("ada", "createChannel", input("Main")).String())
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(b.call("ada", "createChannel", input("Another"))))
	same := vars{"id": id, "name": "Main", "developerName": "Main_Line", "queueId": b.supportQueue(), "requiredConsent": "IMPLICIT_OPT_IN", "limits": vars{"messagesPerSecond": 5}}
	require.Equal(t, made.String(), b.call("ada", "updateChannel", same).String())
	require.Equal(t, made.String(), b.call("ada", "activateChannel", vars{"id": id}).String())
	now, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, head, now, "nothing changed")

	changed := b.call("ada", "updateChannel", vars{"id": id, "name": "Side", "developerName": nil, "queueId": nil, "requiredConsent": nil, "limits": vars{}}).Get("channel")
	require.Equal(t, `{"address":"+12025550177","country":"US","developerName":null,"id":"`+id+`","isActive":true,`+
		`"limits":{"customersPerDay":null,"messagesPerInbound":3,"messagesPerMonth":15000,"messagesPerSecond":1},"members":[{"username":"bo"}],"name":"Side",`+
		`"queue":null,"requiredConsent":null,"type":"SMS_LONG_CODE"}`, changed.String())
	require.Equal(t, `[{"username":"amy"},{"username":"bo"}]`, b.call("ada", "addChannelMembers", vars{"id": id, "agentIds": []string{b.agent("amy"), b.agent("bo")}}).Get("channel", "members").String())
	require.Equal(t, `[{"username":"amy"}]`, b.call("ada", "removeChannelMembers", vars{"id": id, "agentIds": []string{b.agent("sue"), b.agent("bo")}}).Get("channel", "members").String())
	b.Say("+12025550199", "+12025550177", "Hello")
	require.Equal(t, "1", b.As("amy").Do(`{ conversations(view: {kind: MY_INBOX}) { totalCount } }`, nil).Get("conversations", "totalCount").String(), "a sole owner's")
}

func TestAQueueIsCreatedOnceAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	input := vars{"name": "Repairs", "memberIds": []string{b.agent("amy")}, "idempotencyKey": "once"}
	made := b.call("ada", "createQueue", input)
	id := made.Get("queue", "id").String()
	require.Equal(t, `{"channels":[],"id":"`+id+`","members":[{"username":"amy"}],"name":"Repairs"}`, made.Get("queue").String())
	require.Equal(t, made.String(), b.call("ada", "createQueue", input).String())
	require.Equal(t, "Repair", b.call("ada", "updateQueue", vars{"id": id, "name": "Repair"}).Get("queue", "name").String())
	b.call("ada", "addQueueMembers", vars{"id": id, "agentIds": []string{b.agent("bo"), b.agent("amy")}})
	require.Equal(t, `[{"name":"Repair"},{"name":"Support"}]`, b.As("bo").Do(`{ viewer { queues { name } } }`, nil).Get("viewer", "queues").String())
	require.Equal(t, `[{"username":"bo"}]`, b.call("ada", "removeQueueMembers", vars{"id": id, "agentIds": []string{b.agent("amy")}}).Get("queue", "members").String())
	require.Equal(t, "[]", b.As("amy").Do(`{ queues { name } }`, nil).Get("queues").String())

	// New conversations go to the queue, and those that exist stay.
	b.Say("+12025550199", parleytest.Sales, "Before")
	b.call("ada", "updateChannel", vars{"id": b.channelAt(parleytest.Sales), "queueId": id})
	b.Say("+12025550198", parleytest.Sales, "After")
	waiting := b.Store.Ent.Queue.Query().QueryConversations().CountX(b.System())
	require.Equal(t, 1, waiting)
}

// Messages that wait fail, and what customers write still arrives.
func TestDeactivatingStopsSending(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say("+12025550199", parleytest.Sales, "Hello")
	id := b.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	send := func(key string) parleytest.Tree {
		return b.As("amy").Do(`mutation($i: SendMessageInput!) { sendMessage(input: $i) { refusals { code } message { id } } }`,
			vars{"i": vars{"conversationId": id, "text": "Hi", "idempotencyKey": key}}).Get("sendMessage")
	}
	waits := send("1").Get("message", "id").String()
	sales := b.channelAt(parleytest.Sales)
	dry := b.call("ada", "deactivateChannel", vars{"id": sales, "dryRun": true})
	require.Equal(t, []string{"1", "true"}, []string{dry.Get("unsentMessages").String(), dry.Get("channel", "isActive").String()})
	require.Equal(t, "0", b.call("ada", "deactivateChannel", vars{"id": b.channelAt(parleytest.Direct)}).Get("unsentMessages").String())
	off := b.call("ada", "deactivateChannel", vars{"id": sales})
	require.Equal(t, []string{"1", "false"}, []string{off.Get("unsentMessages").String(), off.Get("channel", "isActive").String()})
	require.Equal(t, "CHANNEL_INACTIVE", send("2").Get("refusals", 0, "code").String())

	b.Run()
	b.Eventually(func() bool {
		sent := b.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { status error { code } } } }`, vars{"id": waits}).Get("node")
		return sent.Get("status").String() == "FAILED" && sent.Get("error", "code").String() == "0005"
	}, "the message failed")
	require.Empty(t, b.Carrier.Got())
	b.Say("+12025550199", parleytest.Sales, "Are you there?")
	require.Equal(t, "Are you there?", b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { lastMessage { content { ... on TextContent { text } } } } }`, vars{"id": id}).
		Get("conversation", "lastMessage", "content", "text").String())
}

func TestThereAreAtMostTwoThousand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		account := b.Directory.Account("demo").ID
		channels, queues := []*ent.ChannelCreate{}, []*ent.QueueCreate{}
		for i := range 2_000 {
			if i >= len(b.Directory.Channels()) {
				channels = append(channels, tx.Ent.Channel.Create().SetProviderAccountID(account).SetType(channel.Web).SetAddress(fmt.Sprint("site-", i)).
					SetName("Site").SetActive(false).SetCreatedAt(tx.Now))
			}
			if i >= len(b.Directory.Queues()) {
				queues = append(queues, tx.Ent.Queue.Create().SetName(fmt.Sprint("Queue ", i)))
			}
		}
		if err := tx.Ent.Channel.CreateBulk(channels...).Exec(ctx); err != nil {
			return err
		}
		return tx.Ent.Queue.CreateBulk(queues...).Exec(ctx)
	}))
	for mutation, input := range map[string]vars{"createChannel": b.number("+12025550177", nil), "createQueue": {"name": "New"}} {
		refused := b.call("ada", mutation, input)
		require.Equal(t, "LIMIT_EXCEEDED", code(refused), mutation)
		require.Contains(t, message(refused), "2000", mutation)
	}
}
