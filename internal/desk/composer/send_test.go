package composer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/platform"
	"parley/internal/check/parleytest"
	"parley/internal/desk/directory"
	"parley/internal/ground/publicid"
)

const customer = "+12025550199"

const preparing = `query($i: PrepareComponentInput!) { prepareComponent(input: $i) { token until version component { name } missing { path reason detail } } }`

const previewing = `query($i: PreviewComponentInput!) { previewComponent(input: $i) { channelType format text payload
	shape { ... on LinkShape { format text title url image { url alt } isPopup } ... on ChoiceShape { format text label options { title subtitle image { url } } } ... on TextShape { format text } }
	rejected { format reasons { reason limit found } } missing { path reason detail } } }`

const sending = `mutation($i: SendMessageInput!) { sendMessage(input: $i) { errors { code field message } refusals { code message } message { id kind status content {
	... on ComponentContent { text componentId name kind version format shape { ... on ChoiceShape { text options { title } } ... on TextShape { text } ... on LinkShape { title url } ... on TemplateShape { name language header image { url } placeholders { name text } linkSuffix options { title } } } }
	... on TextContent { text } } } } }`

// facebook is a channel whose customers tap, of amy and bo.
const facebook = "1234567890"

func (b *bundle) facebook() { b.T.Helper(); b.channel("FACEBOOK_ENHANCED", facebook) }

// whatsapp is a channel with a care window, of amy and bo.
const whatsapp = "+12025550111"

func (b *bundle) channel(of, address string) {
	b.T.Helper()
	account := b.As("ada").Do(`{ providerAccounts { id provider } }`, nil)
	for _, a := range account.Get("providerAccounts").List() {
		if a.Get("provider").String() != "sandbox" {
			continue
		}
		made := b.As("ada").Do(`mutation($i: CreateChannelInput!) { createChannel(input: $i) { errors { field message } } }`, vars{"i": vars{
			"providerAccountId": a.Get("id").String(), "type": of, "address": address, "name": of, "idempotencyKey": of,
			"memberIds": []string{b.Directory.AgentNamed("amy").ID, b.Directory.AgentNamed("bo").ID},
		}}).Get("createChannel", "errors")
		require.Empty(b.T, made.List(), made.String())
		return
	}
	require.Fail(b.T, "no account of the sandbox")
}

// conversation has a customer write and returns the conversation's id.
func (b *bundle) conversation(from, to string) string {
	b.T.Helper()
	b.Say(from, to, "Hello")
	list := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id address channel { address } } } }`, nil)
	for _, n := range list.Get("conversations", "nodes").List() {
		if n.Get("channel", "address").String() == to && n.Get("address").String() == from {
			return n.Get("id").String()
		}
	}
	require.Fail(b.T, "no conversation")
	return ""
}

func (b *bundle) component(kind string, design vars) string {
	b.T.Helper()
	made := b.create("ada", "Component", kind, design)
	require.Empty(b.T, code(made), made.String())
	return made.Get("component", "id").String()
}

func (b *bundle) prepare(username string, input vars) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(preparing, vars{"i": input}).Get("prepareComponent")
}

func (b *bundle) send(username, conversation, token, key string) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(sending, vars{"i": vars{"conversationId": conversation, "component": token, "idempotencyKey": key}}).Get("sendMessage")
}

// sent sends a component without values and returns the message's id.
func (b *bundle) sent(conversation, component string) string {
	b.T.Helper()
	token := b.prepare("amy", vars{"componentId": component, "conversationId": conversation}).Get("token").String()
	b.made++
	payload := b.send("amy", conversation, token, fmt.Sprintf("send-%d", b.made))
	require.Empty(b.T, payload.Get("errors").List(), payload.String())
	b.drain(conversation)
	return payload.Get("message", "id").String()
}

func (b *bundle) drain(conversation string) {
	b.T.Helper()
	key, ok := b.Conversations.IDs.Decode(publicid.Conversation, conversation)
	require.True(b.T, ok)
	_, err := b.Messenger.Drain(context.Background(), key)
	require.NoError(b.T, err)
}

// tap has a customer tap an option of the last component that they got.
func (b *bundle) tap(from, to string, option int) {
	b.T.Helper()
	b.made++
	b.Post(b.tapping(fmt.Sprintf("tap-%d", b.made), from, to, option))
}

// tapping is the webhook that tells of a tap.
func (b *bundle) tapping(id, from, to string, option int) *http.Request {
	b.T.Helper()
	channels := b.Directory.Channels()
	ch := channels[slices.IndexFunc(channels, func(c *directory.Channel) bool { return c.Address == to })]
	req, err := b.Messenger.Providers["sandbox"].(channel.Tapper).ComposeTap(ch.Account.Account, b.PublicURL()+"/webhooks/sandbox/"+ch.Account.Key,
		channel.Inbound{EventID: id, ProviderID: id, From: from, To: to}, option)
	require.NoError(b.T, err)
	return req
}

// token is one of the last message that was sent.
func (b *bundle) token() string {
	b.T.Helper()
	got := b.Carrier.Got()
	events, err := platform.Taps(channel.FacebookEnhanced, []byte(got[len(got)-1].Payload))
	require.NoError(b.T, err)
	tap, ok := platform.ReadTap(channel.FacebookEnhanced, events[0])
	require.True(b.T, ok)
	return tap.Token
}

// adapter is the whole of the sandbox's adapter.
type adapter interface {
	channel.Provider
	channel.Tapper
}

// forging is a carrier by which customers claim to have tapped, while a claim is set.
type forging struct {
	adapter
	claim atomic.Pointer[string]
}

func (f *forging) Parse(a channel.Account, w channel.Webhook) channel.Delivery {
	d := f.adapter.Parse(a, w)
	if claim := f.claim.Load(); claim != nil {
		for i := range d.Messages {
			d.Messages[i].Tapped = *claim
		}
	}
	return d
}

// forge has a customer claim to have tapped what a token stands for.
func (b *bundle) forge(from, token string) {
	b.T.Helper()
	b.forging.claim.Store(&token)
	defer b.forging.claim.Store(nil)
	b.Say(from, facebook, "Repairs")
}

// lines are what the thread says, oldest first.
func (b *bundle) lines(conversation string) []parleytest.Tree {
	b.T.Helper()
	return b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { preview messages(first: 100) { nodes { id kind direction content { __typename
		... on TextContent { text } ... on ComponentContent { text version } ... on AnswerContent { text name version questionId componentId option isTyped isRepeated } } } } } }`,
		vars{"id": conversation}).Get("conversation", "messages", "nodes").List()
}

func (b *bundle) last(conversation string) parleytest.Tree {
	all := b.lines(conversation)
	return all[len(all)-1].Get("content")
}

// What is previewed is what the platform gets, but for its address and the tokens.
func TestAPreviewIsWhatIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	p := b.prepare("amy", vars{"componentId": id, "conversationId": conversation})
	require.Empty(t, p.Get("missing").List())
	token := p.Get("token").String()
	require.Equal(t, "[]", b.As("amy").Do(`query($id: ID!, $t: String!) { conversation(id: $id) { sendability(component: $t) { refusals { code } } } }`,
		vars{"id": conversation, "t": token}).Get("conversation", "sendability", "refusals").String())
	shown := b.As("amy").Do(previewing, vars{"i": vars{"component": token, "conversationId": conversation, "channelTypes": []string{"FACEBOOK_ENHANCED", "SMS_LONG_CODE", "WHATSAPP"}}}).Get("previewComponent").List()
	require.Equal(t, "BUTTONS", shown[0].Get("format").String())
	require.Equal(t, "TEXT", shown[1].Get("format").String())
	require.Equal(t, `[{"format":"BUTTONS","reasons":[{"found":0,"limit":0,"reason":"NOT_ON_CHANNEL"}]}]`, shown[1].Get("rejected").String())
	require.True(t, shown[2].Get("format").IsNull(), "standard WhatsApp has no components")

	sent := b.send("amy", conversation, token, "one")
	require.Empty(t, sent.Get("errors").List(), sent.String())
	content := sent.Get("message", "content")
	require.Equal(t, `{"options":[{"title":"Billing"},{"title":"Repairs"}],"text":"How can we help?"}`, content.Get("shape").String())
	require.Equal(t, []string{"COMPONENT", "BUTTONS", id}, []string{sent.Get("message", "kind").String(), content.Get("format").String(), content.Get("componentId").String()})
	require.Equal(t, sent.String(), b.send("amy", conversation, token, "one").String(), "a repeat")
	b.drain(conversation)
	got := b.Carrier.Got()
	require.Len(t, got, 1)
	require.Equal(t, comparable(t, shown[0].Get("payload").String()), comparable(t, got[0].Payload))
	require.True(t, b.As("ada").Do(`query($id: ID!) { component(id: $id) { isUsed } }`, vars{"id": id}).Get("component", "isUsed").Bool())
	require.Equal(t, "CONFLICT", code(b.remove("ada", id)))
}

// When the care window is closed a component goes as a registered template, or not at all.
func TestARegisteredTemplateNeedsNoOpenWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.channel("WHATSAPP_ENHANCED", whatsapp)
	design := question()
	design["formats"] = []vars{
		{"format": "BUTTONS", "text": "How can we help?"},
		{"format": "REGISTERED_TEMPLATE", "template": vars{"name": "how_can_we_help", "language": "en_US", "placeholders": []vars{{"name": "ask", "text": "How can\nwe help?"}}}},
	}
	id, plain := b.component("STATIC_QUESTION", design), b.component("STATIC_QUESTION", question())
	conversation := b.conversation(customer, whatsapp)
	preview := func(id string) (string, parleytest.Tree) {
		t.Helper()
		token := b.prepare("amy", vars{"componentId": id, "conversationId": conversation}).Get("token").String()
		return token, b.As("amy").Do(previewing, vars{"i": vars{"component": token, "conversationId": conversation, "channelTypes": []string{"WHATSAPP_ENHANCED", "WEB"}}}).Get("previewComponent")
	}
	b.Clock.Advance(24*time.Hour - time.Minute)
	open, shown := preview(id)
	require.Equal(t, "BUTTONS", shown.Get(0, "format").String())
	b.Clock.Advance(2 * time.Minute)
	require.Equal(t, "CARE_WINDOW_CLOSED", b.send("amy", conversation, open, "late").Get("refusals", 0, "code").String(), "it was prepared as buttons, and does not become another thing")

	token, shown := preview(plain)
	require.True(t, shown.Get(0, "format").IsNull())
	refused := b.send("amy", conversation, token, "plain").Get("refusals")
	require.Len(t, refused.List(), 1, refused.String())
	require.Equal(t, "CARE_WINDOW_CLOSED", refused.Get(0, "code").String())

	b.Say(customer, whatsapp, "Hello again")
	payload := b.send("amy", conversation, token, "open-again")
	require.Len(t, payload.Get("refusals").List(), 1, payload.String())
	refused = payload.Get("refusals")
	require.Equal(t, "NO_FORMAT_FITS", refused.Get(0, "code").String(), "it was prepared when the window was closed")
	b.Clock.Advance(24*time.Hour + time.Second)

	token, shown = preview(id)
	require.Equal(t, "REGISTERED_TEMPLATE", shown.Get(0, "format").String())
	require.Equal(t, `[{"format":"BUTTONS","reasons":[{"found":0,"limit":0,"reason":"WINDOW_CLOSED"}]}]`, shown.Get(0, "rejected").String())
	require.Equal(t, "BUTTONS", shown.Get(1, "format").String(), "another type of channel has no such window")
	require.Equal(t, "[]", b.As("amy").Do(`query($id: ID!, $t: String!) { conversation(id: $id) { sendability(component: $t) { refusals { code } } } }`,
		vars{"id": conversation, "t": token}).Get("conversation", "sendability", "refusals").String())
	sent := b.send("amy", conversation, token, "template")
	require.Empty(t, sent.Get("refusals").List(), sent.String())
	require.Equal(t, `{"header":"","image":null,"language":"en_US","linkSuffix":"","name":"how_can_we_help","options":[{"title":"Billing"},{"title":"Repairs"}],"placeholders":[{"name":"ask","text":"How can we help?"}]}`,
		sent.Get("message", "content", "shape").String())
	b.drain(conversation)
	got := b.Carrier.Got()
	require.Equal(t, comparable(t, shown.Get(0, "payload").String()), comparable(t, got[len(got)-1].Payload))
	b.tap(customer, whatsapp, 2)
	require.Equal(t, "Repairs", b.last(conversation).Get("text").String())
}

// comparable is a document without its address and tokens.
func comparable(t *testing.T, document string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(document), &v), document)
	var clean func(any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				_, isText := v[k].(string)
				if v[k] = clean(v[k]); isText && slices.Contains([]string{"id", "to", "recipient", "token", "payload"}, k) {
					v[k] = "-"
				}
			}
		case []any:
			for i := range v {
				v[i] = clean(v[i])
			}
		}
		return v
	}
	cleaned, err := json.Marshal(clean(v))
	require.NoError(t, err)
	return string(cleaned)
}

func TestATokenIsOneAgentsForOneConversationAndTenMinutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, conversation, other := b.component("STATIC_QUESTION", question()), b.conversation(customer, parleytest.Sales), b.conversation("+12025550198", parleytest.Sales)
	token := b.prepare("amy", vars{"componentId": id, "conversationId": conversation}).Get("token").String()
	for name, payload := range map[string]parleytest.Tree{
		"another agent":        b.send("bo", conversation, token, "a"),
		"another conversation": b.send("amy", other, token, "b"),
		"a forged token":       b.send("amy", conversation, token[:len(token)-2]+"AA", "c"),
		"an empty token":       b.send("amy", conversation, "", "d"),
		"a long token":         b.send("amy", conversation, strings.Repeat("A", 131_173), "e"),
	} {
		require.Equal(t, "BAD_INPUT", code(payload), name)
		require.Equal(t, "input.component", payload.Get("errors", 0, "field").String(), name)
	}
	both := b.As("amy").Do(sending, vars{"i": vars{"conversationId": conversation, "component": token, "text": "Hello", "idempotencyKey": "f"}}).Get("sendMessage")
	require.Equal(t, "input.component", both.Get("errors", 0, "field").String())
	b.Clock.Advance(11 * time.Minute)
	require.Contains(t, b.send("amy", conversation, token, "g").Get("errors", 0, "message").String(), "10 minutes ago")
	require.Len(t, b.lines(conversation), 1)
}
