package responder_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
)

type vars = parleytest.Vars

const customer = "shop/42"

// bundle is a desk with a channel of a website, of amy alone.
type bundle struct {
	*parleytest.Parley
	web  string // the channel's id
	made int
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	b := &bundle{Parley: parleytest.New(t, options...)}
	b.web = b.channel("WEB", "website")
	return b
}

func (b *bundle) do(username, mutation, kind, asks string, input vars) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(`mutation($i: `+kind+`!) { `+mutation+`(input: $i) { `+asks+` errors { code field message } } }`, vars{"i": input}).Get(mutation)
}

func (b *bundle) ok(mutation, kind, asks string, input vars) parleytest.Tree {
	b.T.Helper()
	payload := b.do("ada", mutation, kind, asks, input)
	require.Empty(b.T, payload.Get("errors").List(), payload.String())
	return payload
}

func (b *bundle) key() string {
	b.made++
	return fmt.Sprint("key-", b.made)
}

func (b *bundle) channel(kind, address string) string {
	b.T.Helper()
	for _, a := range b.As("ada").Do(`{ providerAccounts { id provider } }`, nil).Get("providerAccounts").List() {
		if a.Get("provider").String() == "sandbox" {
			in := vars{
				"providerAccountId": a.Get("id").String(), "type": kind, "address": address, "name": address, "idempotencyKey": b.key(),
				"memberIds": []string{b.Directory.AgentNamed("amy").ID},
			}
			if kind == "SMS_SHORT_CODE" {
				in["country"] = "US"
			}
			return b.ok("createChannel", "CreateChannelInput", "channel { id }", in).Get("channel", "id").String()
		}
	}
	require.Fail(b.T, "no account of the sandbox")
	return ""
}

func (b *bundle) component(kind string, design vars) string {
	b.T.Helper()
	b.made++
	return b.ok("createComponent", "CreateComponentInput", "component { id }", vars{
		"name": "Welcome", "developerName": fmt.Sprint("C", b.made), "kind": kind, "design": design, "idempotencyKey": b.key(),
	}).Get("component", "id").String()
}

func page() vars {
	return vars{
		"parameters": []vars{{"name": "Level", "type": "TEXT"}},
		"formats": []vars{{
			"format": "WEB_PAGE", "title": "Hello {!$Conversation.Name}, {!$Parameters.Level}", "url": "https://survey.test/?t={!$Conversation.Token}", "isPopup": true,
		}},
	}
}

func acknowledging(id string) []vars {
	return []vars{{"moment": "ACKNOWLEDGEMENT", "componentId": id, "parameters": []vars{{"name": "Level", "value": "gold"}}}, {"moment": "START", "text": "An agent is here."}}
}

func (b *bundle) answer(username, channel string, responses []vars) parleytest.Tree {
	b.T.Helper()
	return b.do(username, "updateChannel", "UpdateChannelInput", "channel { autoResponses { moment componentId text parameters { name value } } }", vars{"id": channel, "autoResponses": responses})
}

// thread is the newest conversation that amy sees, with its messages.
func (b *bundle) thread() parleytest.Tree {
	b.T.Helper()
	return b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id preview isUnread newCount lastMessageDirection owner { username } lastMessage { source }
		messages(first: 50) { nodes { id source status author { id } content { __typename ... on TextContent { text }
			... on ComponentContent { name kind componentId shape { ... on LinkShape { title url isPopup } } } } } } } } }`, nil).Get("conversations", "nodes", 0)
}

func (b *bundle) automatic() (all []parleytest.Tree) {
	b.T.Helper()
	for _, m := range b.thread().Get("messages", "nodes").List() {
		if m.Get("source").String() == "AUTO_RESPONSE" {
			all = append(all, m)
		}
	}
	return all
}

// settled waits until no answer is under way.
func (b *bundle) settled(jobs int) {
	b.T.Helper()
	b.Eventually(func() bool {
		return parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'send_auto_response' AND state = 'completed'")[0] == fmt.Sprint(jobs)
	}, "the jobs are done")
}

func TestAChannelAcknowledgesTheFirstMessageOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	id := b.component("AUTO_RESPONSE", page())
	require.Empty(t, b.answer("ada", b.web, acknowledging(id)).Get("errors").List())
	hello := channel.Inbound{EventID: "e1", ProviderID: "e1", From: customer, FromName: "Ann", To: "website", Text: "Anybody there?"}
	b.Post(b.Inbound(hello))
	b.Post(b.Inbound(hello)) // carriers post things twice
	b.Eventually(func() bool { return len(b.automatic()) == 1 && len(b.Carrier.Got()) == 1 }, "the answer is sent")
	said := b.automatic()[0]
	require.True(t, said.Get("author").IsNull())
	require.Equal(t, []string{"Welcome", "AUTO_RESPONSE", id, "Hello Ann, gold"}, []string{
		said.Get("content", "name").String(), said.Get("content", "kind").String(), said.Get("content", "componentId").String(), said.Get("content", "shape", "title").String(),
	})
	thread := b.thread()
	require.Equal(t, "Anybody there?", thread.Get("preview").String(), "the customer waits for a person")
	require.Equal(t, []string{"INBOUND", "amy", "CUSTOMER"}, []string{thread.Get("lastMessageDirection").String(), thread.Get("owner", "username").String(), thread.Get("lastMessage", "source").String()})
	require.True(t, thread.Get("isUnread").Bool())
	require.Equal(t, 1, thread.Get("newCount").Int())
	require.Contains(t, b.Carrier.Got()[0].Payload, `"popup":true`)
	b.Say(customer, "website", "Hello?")
	b.settled(1)
	require.Len(t, b.automatic(), 1)

	// The component stays while the channel says it, and the token names the conversation.
	require.Equal(t, "CONFLICT", b.do("ada", "deleteComponent", "DeleteComponentInput", "deletedId", vars{"id": id}).Get("errors", 0, "code").String())
	_, token, _ := strings.Cut(said.Get("content", "shape", "url").String(), "t=")
	const reading = `query($t: String!) { customerToken(token: $t) { conversation { id } componentId until } }`
	read := b.As("amy").Do(reading, vars{"t": token}).Get("customerToken")
	require.Equal(t, []string{thread.Get("id").String(), id}, []string{read.Get("conversation", "id").String(), read.Get("componentId").String()})
	require.Equal(t, []string{"NOT_FOUND"}, b.As("bo").Raw(reading, vars{"t": token}).Codes(), "who does not see the conversation")
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(reading, vars{"t": token[:len(token)-2] + "AA"}).Codes())
	b.Clock.Advance(31 * 24 * time.Hour)
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(reading, vars{"t": token}).Codes())
}

func TestTextsAcknowledgeOnOtherChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	sms := ""
	for _, ch := range b.Directory.Channels() {
		if ch.Address == parleytest.Sales {
			sms = ch.ID
		}
	}
	require.Empty(t, b.answer("ada", sms, []vars{{"moment": "ACKNOWLEDGEMENT", "text": "Thanks, {!$Conversation.Address}."}}).Get("errors").List())
	b.Say("+12025550199", parleytest.Sales, "Hello")
	b.Eventually(func() bool { return len(b.automatic()) == 1 }, "the answer is queued")
	require.Equal(t, "Thanks, +12025550199.", b.automatic()[0].Get("content", "text").String())

	// Nothing answers who has opted out, an address of ours, or what no phone can get.
	out := b.ok("createMessagingUser", "CreateMessagingUserInput", "messagingUser { id }", vars{"channelId": sms, "address": "+12025550190", "idempotencyKey": "out"})
	b.ok("setConsent", "SetConsentInput", "messagingUser { id }", vars{"id": out.Get("messagingUser", "id").String(), "status": "OPT_OUT", "reason": "By phone."})
	b.Say("+12025550190", parleytest.Sales, "Hello")
	b.Say(parleytest.Direct, parleytest.Sales, "Thanks, +12025550100.")
	b.Say("BANK", parleytest.Sales, "Your code is 1")
	b.settled(4)
	require.Equal(t, []string{"1"}, parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM messages WHERE source = 'AUTO_RESPONSE'"))
}

func TestAnAnswerThatComesTooLateIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.component("AUTO_RESPONSE", page())
	require.Empty(t, b.answer("ada", b.web, acknowledging(id)).Get("errors").List())
	b.Say(customer, "website", "Hello")
	require.Empty(t, b.do("amy", "sendMessage", "SendMessageInput", "message { id }", vars{"conversationId": b.thread().Get("id").String(), "text": "Hi", "idempotencyKey": "hi"}).Get("errors").List())
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Empty(t, b.automatic(), "amy was faster")
	b.Say("shop/43", "website", "Hello")
	b.Clock.Advance(61 * time.Minute)
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Empty(t, b.automatic(), "an hour went by")
	b.Say("shop/44", "website", "Hello")
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Len(t, b.automatic(), 1)
}

// What a channel says by itself can neither go nor change so that the channel could not say
// it any more.
func TestAComponentThatIsSaidByItselfStaysFit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.component("AUTO_RESPONSE", page())
	require.Empty(t, b.answer("ada", b.web, acknowledging(id)).Get("errors").List())
	change := func(in vars) string {
		in["id"] = id
		return b.do("ada", "updateComponent", "UpdateComponentInput", "component { version }", in).Get("errors").String()
	}
	with := func(parameters ...vars) vars {
		design := page()
		design["parameters"] = parameters
		return vars{"design": design}
	}
	level, city := vars{"name": "Level", "type": "TEXT"}, vars{"name": "City", "type": "TEXT"}
	for _, in := range []vars{
		{"isArchived": true},
		with(level, city),
		with(vars{"name": "Level", "type": "DATE"}),
	} {
		require.Contains(t, change(in), `"code":"CONFLICT"`, in)
	}
	city["isOptional"] = true
	require.Equal(t, "[]", change(with(level, city)))
	b.Say(customer, "website", "Hello")
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Len(t, b.automatic(), 1)
	require.Empty(t, b.answer("ada", b.web, []vars{}).Get("errors").List())
	require.Equal(t, "[]", change(vars{"isArchived": true}))
}

// conversation is the key of the newest conversation.
func (b *bundle) conversation() int64 {
	key, ok := b.Conversations.IDs.Decode(publicid.Conversation, b.thread().Get("id").String())
	require.True(b.T, ok)
	return key
}

// Cut off at each of its statements, the job leaves no answer or one whole, and the next try
// ends it.
func TestAnAnswerCutOffAnywhereIsSentOnce(t *testing.T) {
	t.Parallel()
	var cut func()
	var left atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) {
			if cut != nil && left.Add(-1) == 0 {
				cut()
			}
			return nil
		}
	})
	require.Empty(t, b.answer("ada", b.web, acknowledging(b.component("AUTO_RESPONSE", page()))).Get("errors").List())
	for statement := int64(1); ; statement++ {
		b.Say(fmt.Sprint("shop/", statement), "website", "Hello")
		conversation := b.conversation()
		ctx, cancel := context.WithCancel(context.Background())
		left.Store(statement)
		cut = cancel
		err := b.Responder.Respond(ctx, conversation)
		cut = nil
		cancel()
		count := func(statement string) []string {
			return parleytest.Rows(t, b.Store, fmt.Sprintf(statement, conversation))
		}
		messages, attempts := count("SELECT COUNT(*) FROM messages WHERE source = 'AUTO_RESPONSE' AND conversation_id = %d"), count("SELECT COUNT(*) FROM attempts WHERE conversation_id = %d")
		require.Equal(t, messages, attempts, "cut off at %d", statement)
		require.Equal(t, messages, count("SELECT COUNT(*) FROM auto_responses WHERE conversation_id = %d"))
		require.NoError(t, b.Responder.Respond(context.Background(), conversation))
		require.Equal(t, []string{"1"}, count("SELECT COUNT(*) FROM messages WHERE source = 'AUTO_RESPONSE' AND conversation_id = %d"))
		if err == nil && left.Load() > 0 {
			require.Greater(t, statement, int64(6), "it has several steps")
			return
		}
	}
}

// An inbound message costs the same statements, whatever its channel says by itself.
func TestAnAcknowledgementCostsTheMessageNothing(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) {
			statements.Add(1)
			return nil
		}
	})
	cost := func(from string) int64 {
		before := statements.Load()
		b.Say(from, "website", "Hello")
		return statements.Load() - before
	}
	without := cost("shop/1")
	require.Empty(t, b.answer("ada", b.web, acknowledging(b.component("AUTO_RESPONSE", page()))).Get("errors").List())
	require.LessOrEqual(t, cost("shop/2"), without+1)
	require.Equal(t, []string{"1"}, parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'send_auto_response'"))
}

func TestWhatAChannelCannotSayIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.component("AUTO_RESPONSE", page())
	link := b.component("ENHANCED_LINK", vars{"formats": []vars{{"format": "RICH_LINK", "title": "Shop", "url": "https://shop.test"}}})
	short := b.channel("SMS_SHORT_CODE", "24680")
	for name, c := range map[string]struct {
		channel string
		given   []vars
		field   string
	}{
		"a component on a short code": {short, acknowledging(id), "input.autoResponses.0.componentId"},
		"a long text":                 {short, []vars{{"moment": "ACKNOWLEDGEMENT", "text": strings.Repeat("x", 161)}}, "input.autoResponses.0.text"},
		"a blank text":                {b.web, []vars{{"moment": "ACKNOWLEDGEMENT", "text": " "}}, "input.autoResponses.0.text"},
		"an unknown field":            {b.web, []vars{{"moment": "ACKNOWLEDGEMENT", "text": "{!$Conversation.Owner}"}}, "input.autoResponses.0.text"},
		"a moment twice":              {b.web, []vars{{"moment": "END", "text": "a"}, {"moment": "END", "text": "b"}}, "input.autoResponses.1.moment"},
		"an unknown moment":           {b.web, []vars{{"moment": "OTHER", "text": "a"}}, "input.autoResponses.0.moment"},
		"both":                        {b.web, []vars{{"moment": "END", "text": "a", "componentId": id}}, "input.autoResponses.0"},
		"neither":                     {b.web, []vars{{"moment": "END"}}, "input.autoResponses.0"},
		"another kind":                {b.web, []vars{{"moment": "END", "componentId": link}}, "input.autoResponses.0.componentId"},
		"no component":                {b.web, []vars{{"moment": "END", "componentId": b.web}}, "input.autoResponses.0.componentId"},
		"no value":                    {b.web, []vars{{"moment": "END", "componentId": id}}, "input.autoResponses.0.parameters"},
		"an unknown parameter":        {b.web, []vars{{"moment": "END", "componentId": id, "parameters": []vars{{"name": "X", "value": ""}}}}, "input.autoResponses.0.parameters"},
	} {
		require.Equal(t, c.field, b.answer("ada", c.channel, c.given).Get("errors", 0, "field").String(), name)
	}
	require.Equal(t, "FORBIDDEN", b.answer("amy", b.web, acknowledging(id)).Get("errors", 0, "code").String())
	require.Empty(t, b.answer("ada", b.web, acknowledging(id)).Get("errors").List())
	require.Empty(t, b.answer("ada", b.web, []vars{}).Get("errors").List())
	require.Equal(t, "[]", b.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Channel { autoResponses { moment } } } }`, vars{"id": b.web}).Get("node", "autoResponses").String())
}

// What is sent by itself reads all, so only who may read what it reads can set it.
func TestWhoSetsAnAnswerMayReadWhatItReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ok("createObjectType", "CreateObjectTypeInput", "", vars{
		"name": "Order", "label": "Order", "idempotencyKey": "order", "messaging": vars{"name": "Number"}, "fields": []vars{{"name": "Number", "label": "Number", "type": "TEXT"}},
	})
	set := b.ok("createPermissionSet", "CreatePermissionSetInput", "permissionSet { id }", vars{"name": "Setup", "permissions": []string{"CONFIGURE_MESSAGING"}, "idempotencyKey": "set"})
	b.ok("grantPermissionSet", "GrantPermissionSetInput", "", vars{"id": set.Get("permissionSet", "id").String(), "agentIds": []string{b.Directory.AgentNamed("bo").ID}})
	design := vars{
		"parameters": []vars{{"name": "Order", "type": "RECORD", "objectType": "Order"}},
		"formats":    []vars{{"format": "WEB_PAGE", "title": "{!$Parameters.Order.Number}", "url": "https://shop.test"}},
	}
	id := b.component("AUTO_RESPONSE", design)
	say := []vars{{"moment": "ACKNOWLEDGEMENT", "componentId": id}}
	require.Equal(t, "FORBIDDEN", b.answer("bo", b.web, say).Get("errors", 0, "code").String())
	require.Equal(t, "FORBIDDEN", b.do("bo", "updateComponent", "UpdateComponentInput", "component { id }", vars{"id": id, "design": design}).Get("errors", 0, "code").String())
	require.Equal(t, "FORBIDDEN", b.do("bo", "cloneComponent", "CloneComponentInput", "component { id }", vars{"id": id, "name": "Copy", "developerName": "Copy", "idempotencyKey": "copy"}).Get("errors", 0, "code").String())
	require.Empty(t, b.answer("ada", b.web, say).Get("errors").List())
	b.Say(customer, "website", "Hello")
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Empty(t, b.automatic(), "the conversation is of no order")
}
