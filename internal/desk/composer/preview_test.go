package composer_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// choosing is a question with so many options, each with a picture, in one format.
func choosing(options int, format vars) vars {
	items := make([]vars, options)
	for i := range items {
		items[i] = vars{"name": "Option " + string(rune('A'+i)), "subtitle": "More", "imageUrl": "https://shop.example.com/i.png", "imageAlt": "A lamp"}
	}
	format["text"] = "Which?"
	return vars{"constants": []vars{{"name": "Topics", "type": "LIST", "items": items}}, "options": vars{"constant": "Topics"}, "formats": []vars{format}, "translations": []vars{}}
}

func linking(format string) vars {
	f := vars{"format": format, "title": "Our shop", "url": "https://shop.example.com/", "imageUrl": "https://shop.example.com/i.png", "imageAlt": "A lamp"}
	if format != "MEDIA" {
		f["text"] = "See here"
	}
	return vars{"constants": []vars{}, "formats": []vars{f}, "translations": []vars{}}
}

// On every type of channel, in every format, the preview is what the platform gets.
func TestEveryPreviewIsWhatIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	addresses := map[string]string{"FACEBOOK_ENHANCED": facebook, "WHATSAPP_ENHANCED": whatsapp, "WEB": "website", "IN_APP": "app", "SMS_LONG_CODE": parleytest.Sales}
	conversations := map[string]string{}
	for on, address := range addresses {
		if on != "SMS_LONG_CODE" {
			b.channel(on, address)
		}
		conversations[on] = b.conversation(customer, address)
	}
	for i, c := range []struct {
		on, kind, format string
		design           vars
	}{
		{"FACEBOOK_ENHANCED", "ENHANCED_LINK", "MEDIA", linking("MEDIA")},
		{"FACEBOOK_ENHANCED", "STATIC_QUESTION", "BUTTONS", choosing(3, vars{"format": "BUTTONS"})},
		{"FACEBOOK_ENHANCED", "STATIC_QUESTION", "QUICK_REPLIES", choosing(13, vars{"format": "QUICK_REPLIES"})},
		{"FACEBOOK_ENHANCED", "STATIC_QUESTION", "CARD_CAROUSEL", choosing(2, vars{"format": "CARD_CAROUSEL"})},
		{"FACEBOOK_ENHANCED", "STATIC_QUESTION", "TEXT", choosing(4, vars{"format": "BUTTONS"})},
		{"WHATSAPP_ENHANCED", "ENHANCED_LINK", "RICH_LINK", linking("RICH_LINK")},
		{"WHATSAPP_ENHANCED", "STATIC_QUESTION", "BUTTONS", choosing(3, vars{"format": "BUTTONS"})},
		{"WHATSAPP_ENHANCED", "STATIC_QUESTION", "LIST", choosing(10, vars{"format": "LIST", "label": "Choose"})},
		{"WHATSAPP_ENHANCED", "STATIC_QUESTION", "TEXT", choosing(11, vars{"format": "LIST", "label": "Choose"})},
		{"WEB", "ENHANCED_LINK", "RICH_LINK", linking("RICH_LINK")},
		{"WEB", "STATIC_QUESTION", "BUTTONS", choosing(2, vars{"format": "BUTTONS"})},
		{"WEB", "STATIC_QUESTION", "QUICK_REPLIES", choosing(4, vars{"format": "QUICK_REPLIES"})},
		{"IN_APP", "ENHANCED_LINK", "RICH_LINK", linking("RICH_LINK")},
		{"IN_APP", "STATIC_QUESTION", "BUTTONS", choosing(2, vars{"format": "BUTTONS"})},
		{"IN_APP", "STATIC_QUESTION", "TEXT", choosing(2, vars{"format": "QUICK_REPLIES"})},
		{"SMS_LONG_CODE", "ENHANCED_LINK", "TEXT", linking("RICH_LINK")},
		{"SMS_LONG_CODE", "STATIC_QUESTION", "TEXT", choosing(3, vars{"format": "BUTTONS"})},
	} {
		name := c.on + " " + c.format + " " + c.kind
		token, shown := b.shown(conversations[c.on], b.component(c.kind, c.design), c.on)
		require.Equal(t, c.format, shown.Get("format").String(), name)
		sent := b.send("amy", conversations[c.on], token, fmt.Sprint("case-", i))
		require.False(t, sent.Get("message").IsNull(), "%s: %s", name, sent)
		require.Equal(t, c.format, sent.Get("message", "content", "format").String(), name)
		require.Equal(t, shown.Get("text").String(), sent.Get("message", "content", "text").String(), name)
		b.drain(conversations[c.on])
		got := b.Carrier.Got()
		require.Equal(t, comparable(t, shown.Get("payload").String()), comparable(t, got[len(got)-1].Payload), name)
	}
}

// shown prepares a component without values and previews it on a type of channel.
func (b *bundle) shown(conversation, component, on string) (token string, preview parleytest.Tree) {
	b.T.Helper()
	token = b.prepare("amy", vars{"componentId": component, "conversationId": conversation}).Get("token").String()
	return token, b.As("amy").Do(previewing, vars{"i": vars{"component": token, "conversationId": conversation, "channelTypes": []string{on}}}).Get("previewComponent", 0)
}

// At Twilio a text is posted as a form, and its header leaves room for more of it than
// others' do.
func TestAPreviewOverTwilioIsTheFormThatIsPosted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := twiliotest.New(twilio.Credentials{SID: twilio.DemoSID, Token: twilio.DemoToken})
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	require.NoError(t, b.Directory.Change(b.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("twilio-demo")).SetBaseURL(front.URL).Exec(ctx)
	}))
	design := question()
	design["formats"] = []vars{{"format": "TEXT", "text": strings.Repeat("ж", 402)}}
	id := b.component("STATIC_QUESTION", design)
	ours, theirs := b.conversation(customer, parleytest.Sales), b.conversation(customer, parleytest.Billing)

	_, shown := b.shown(ours, id, "SMS_LONG_CODE")
	require.True(t, shown.Get("format").IsNull(), shown.String())
	require.Equal(t, `[{"format":"TEXT","reasons":[{"found":7,"limit":6,"reason":"TEXT_TOO_LONG"}]}]`, shown.Get("rejected").String())

	token, shown := b.shown(theirs, id, "SMS_LONG_CODE")
	require.Equal(t, "TEXT", shown.Get("format").String(), shown.String())
	require.Equal(t, "[]", b.send("amy", theirs, token, "one").Get("refusals").String())
	b.drain(theirs)
	got := server.Got()[0]
	require.Equal(t, url.Values{"From": {got.From}, "To": {"customer"}, "Body": {got.Body}}.Encode(), shown.Get("payload").String())

	_, shown = b.shown(theirs, id, "SMS_TOLL_FREE")
	require.True(t, shown.Get("format").IsNull(), "whose carrier is not known")
}

// Messenger takes a response for 24 hours, then for 7 days what a person says, with a tag.
func TestTheWindowsOfMessenger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	program := b.program(facebook)
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	const response, tagged = `"messaging_type":"RESPONSE","message"`, `"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message"`
	day, past := 24*time.Hour, time.Duration(0)
	for i, c := range []struct {
		after           time.Duration
		person, program string // what is posted, or the refusal
	}{
		{day, response, response},
		{day + time.Microsecond, tagged, "CARE_WINDOW_CLOSED"},
		{7 * day, tagged, "CARE_WINDOW_CLOSED"},
		{7*day + time.Microsecond, "CARE_WINDOW_CLOSED", "CARE_WINDOW_CLOSED"},
	} {
		b.Clock.Advance(c.after - past)
		past = c.after
		for who, want := range map[string]string{"person": c.person, "program": c.program} {
			client := map[string]*parleytest.Client{"person": b.As("amy"), "program": program}[who]
			token := client.Do(preparing, vars{"i": vars{"componentId": id, "conversationId": conversation}}).Get("prepareComponent", "token").String()
			shown := client.Do(previewing, vars{"i": vars{"component": token, "conversationId": conversation, "channelTypes": []string{"FACEBOOK_ENHANCED"}}}).Get("previewComponent", 0, "payload")
			in := vars{"conversationId": conversation, "component": token, "idempotencyKey": fmt.Sprint(who, i)}
			sent := client.Do(sending, vars{"i": in}).Get("sendMessage")
			if want == "CARE_WINDOW_CLOSED" {
				require.Equal(t, want, sent.Get("refusals", 0, "code").String(), "%s after %s: %s", who, c.after, sent)
				text := client.Do(`query($id: ID!) { conversation(id: $id) { sendability(draft: "Hello") { refusals { code } } } }`, vars{"id": conversation})
				require.Equal(t, want, text.Get("conversation", "sendability", "refusals", 0, "code").String(), "a text is judged alike")
				require.True(t, shown.IsNull())
				continue
			}
			require.Equal(t, "[]", sent.Get("refusals").String(), "%s after %s", who, c.after)
			b.drain(conversation)
			got := b.Carrier.Got()
			require.Contains(t, got[len(got)-1].Payload, want, "%s after %s", who, c.after)
			require.Equal(t, comparable(t, shown.String()), comparable(t, got[len(got)-1].Payload))
		}
	}
}

// program is a service account that sends from a channel.
func (b *bundle) program(address string) *parleytest.Client {
	b.T.Helper()
	var channels []string
	for _, c := range b.Directory.Channels() {
		if c.Address == address {
			channels = append(channels, c.ID)
		}
	}
	ada := b.As("ada")
	made := ada.Do(`mutation($c: [ID!]!) { createServiceAccount(input: {username: "crm", name: "CRM", channelIds: $c, idempotencyKey: "crm"}) { agent { id } } }`, vars{"c": channels})
	token := ada.Do(`mutation($i: CreateAccessTokenInput!) { createAccessToken(input: $i) { token } }`, vars{"i": vars{
		"agentId": made.Get("createServiceAccount", "agent", "id").String(), "name": "t", "scopes": []string{"READ", "SEND"},
		"expiresAt": time.Now().Add(24 * time.Hour).Format(time.RFC3339), "idempotencyKey": "t",
	}})
	return b.With(token.Get("createAccessToken", "token").String())
}
