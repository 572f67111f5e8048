package composer_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/ground/webhook"
)

// provider answers with what stands in it, and keeps what it was asked.
type provider struct {
	status int
	body   string
	asked  []*http.Request
	bodies []string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.asked, p.bodies = append(p.asked, r), append(p.bodies, string(body))
	w.WriteHeader(p.status)
	_, _ = w.Write([]byte(p.body))
}

// offering is a desk with a time selector whose provider is here.
func offering(t *testing.T, options ...func(*app.Config)) (b *bundle, p *provider, id, conversation string) {
	b, p = setup(t, append([]func(*app.Config){func(c *app.Config) { c.KeyFile = t.TempDir() + "/key" }}, options...)...), &provider{status: 200}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	id = b.component("TIME_SELECTOR", vars{
		"parameters": []vars{{"name": "Service", "type": "TEXT", "isOptional": true}}, "options": vars{"providerUrl": server.URL + "/slots"},
		"formats": []vars{{"format": "BUTTONS", "text": "When?"}},
	})
	return b, p, id, b.conversation(customer, parleytest.Sales)
}

func (b *bundle) renewed(id string) string {
	b.T.Helper()
	payload := b.As("ada").Do(`mutation($id: ID!) { renewComponentSecret(input: {id: $id}) { component { id } webhookSecret errors { code message } } }`, vars{"id": id}).Get("renewComponentSecret")
	require.Empty(b.T, payload.Get("errors").List(), payload.String())
	return payload.Get("webhookSecret").String()
}

// problem is what a preparation says of the provider; empty for nothing.
func problem(p parleytest.Tree) string {
	for _, m := range p.Get("missing").List() {
		if m.Get("reason").String() == "PROVIDER_FAILED" {
			return m.Get("detail").String()
		}
	}
	return ""
}

func TestSlotsComeFromAProvider(t *testing.T) {
	t.Parallel()
	b, p, id, conversation := offering(t)
	in := vars{"componentId": id, "conversationId": conversation, "parameters": []vars{{"name": "service", "value": "Repair"}}}
	require.Contains(t, problem(b.prepare("amy", in)), "renewComponentSecret")
	require.Empty(t, p.asked, "nothing is sent unsigned")
	secret := b.renewed(id)
	now := b.Clock.Now().Std()
	at := func(after time.Duration) string { return now.Add(after).Format(time.RFC3339) }
	p.body = fmt.Sprintf(`{"slots": [{"start": %q, "durationMinutes": 30}, {"start": %q, "durationMinutes": 30}, {"start": %q, "durationMinutes": 60}, {"start": %q, "durationMinutes": 30}]}`,
		at(48*time.Hour), at(24*time.Hour), at(24*time.Hour), at(-time.Hour))
	require.Empty(t, b.As("ada").Do(`mutation($id: ID!) { updateMessagingUser(input: {id: $id, timeZone: "Asia/Tokyo"}) { errors { message } } }`, vars{"id": b.customerOf(conversation)}).Get("updateMessagingUser", "errors").List())
	prepared := b.prepare("amy", in)
	require.Empty(t, prepared.Get("missing").List(), prepared.String())
	sent := b.send("amy", conversation, prepared.Get("token").String(), "slots")
	require.Empty(t, sent.Get("errors").List(), sent.String())
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("When?\n1. %s\n2. %s", now.Add(24*time.Hour).In(tokyo).Format("2006-01-02 15:04"), now.Add(48*time.Hour).In(tokyo).Format("2006-01-02 15:04")),
		sent.Get("message", "content", "text").String(), "in order, each once, none that is over, as the customer's clock shows them")

	require.Len(t, p.asked, 1, "a send asks nobody")
	h := p.asked[0].Header
	require.True(t, webhook.Verify([]string{secret}, h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature"), p.bodies[0], b.Clock.Now()))
	var asked struct {
		Type string
		Data struct {
			Component, ConversationID, TimeZone string
			Parameters                          map[string]string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(p.bodies[0]), &asked))
	require.Equal(t, []string{"component.slots", conversation, "Asia/Tokyo", "Repair"}, []string{asked.Type, asked.Data.ConversationID, asked.Data.TimeZone, asked.Data.Parameters["Service"]})

	b.preview("amy", in)
	require.Len(t, p.asked, 1, "a preview asks nobody")
	delete(in, "channelTypes")
	in["slots"] = []vars{{"start": at(time.Hour), "durationMinutes": 5}}
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(preparing, vars{"i": in}).Codes())

	// The address and the secret are the administrators'.
	const reading = `query($id: ID!) { component(id: $id) { design { options { ... on SlotOptions { hasProvider providerUrl } } } } }`
	shown := func(username string) parleytest.Tree {
		return b.As(username).Do(reading, vars{"id": id}).Get("component", "design", "options")
	}
	require.True(t, shown("amy").Get("hasProvider").Bool())
	require.True(t, shown("amy").Get("providerUrl").IsNull())
	require.Contains(t, shown("ada").Get("providerUrl").String(), "/slots")
	refused := b.As("amy").Do(`mutation($id: ID!) { renewComponentSecret(input: {id: $id}) { errors { code } } }`, vars{"id": id}).Get("renewComponentSecret", "errors", 0, "code")
	require.Equal(t, "FORBIDDEN", refused.String())
}

func (b *bundle) customerOf(conversation string) string {
	b.T.Helper()
	return b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messagingUser { id } } }`, vars{"id": conversation}).Get("conversation", "messagingUser", "id").String()
}

func TestAProviderThatFailsIsAReason(t *testing.T) {
	t.Parallel()
	b, p, id, conversation := offering(t)
	b.renewed(id)
	in := vars{"componentId": id, "conversationId": conversation}
	slot := `{"start": "2099-01-01T00:00:00Z", "durationMinutes": 30}`
	for name, c := range map[string]struct {
		status       int
		body, reason string
	}{
		"an error":      {500, "", "the status 500"},
		"a redirect":    {302, "", "the status 302"},
		"no JSON":       {200, "<html>", "is not JSON"},
		"no slots":      {200, "{}", "is not JSON"},
		"no start":      {200, `{"slots": [{"durationMinutes": 30}]}`, "slot 1 has no start"},
		"no time":       {200, `{"slots": [{"start": "soon", "durationMinutes": 30}]}`, "is not JSON"},
		"no duration":   {200, `{"slots": [` + slot + `, {"start": "2099-01-01T00:00:00Z"}]}`, "slot 2 has no start, or does not take"},
		"too many":      {200, `{"slots": [` + strings.Repeat(slot+",", 100) + slot + `]}`, "offers 101 slots"},
		"a long answer": {200, `{"slots": [], "x": "` + strings.Repeat("x", 2<<20) + `"}`, "is too long"},
	} {
		b.Calls(id)
		p.status, p.body = c.status, c.body
		prepared := b.prepare("amy", in)
		require.Contains(t, problem(prepared), c.reason, name)
		require.Equal(t, "VALUES_MISSING", b.send("amy", conversation, prepared.Get("token").String(), strings.ReplaceAll(name, " ", "-")).Get("refusals", 0, "code").String(), name)
	}
	p.status, p.body = 200, `{"slots": []}`
	b.Calls(id)
	require.Empty(t, problem(b.prepare("amy", in)))
	for i := range 20 {
		if codes := b.As("amy").Raw(preparing, vars{"i": in}).Codes(); len(codes) > 0 {
			require.Equal(t, []string{"LIMIT_EXCEEDED"}, codes)
			require.GreaterOrEqual(t, i, 5)
			return
		}
	}
	require.Fail(t, "the provider is asked without end")
}

// Calls lets a component's provider be asked once more.
func (b *bundle) Calls(string) {
	composing := b.Schema.Composer
	for _, key := range parleytest.Rows(b.T, b.Store, "SELECT id FROM components") {
		composing.Calls.Give(key, 1)
	}
}

func TestAProviderIsOnThePublicInternet(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *app.Config) { c.Mode = "production" })
	for _, address := range []string{"http://slots.example.com", "https://127.0.0.1/", "https://me:pw@slots.example.com/", "slots"} {
		made := b.create("ada", "Component", "TIME_SELECTOR", vars{"options": vars{"providerUrl": address}, "formats": []vars{{"format": "BUTTONS", "text": "When?"}}})
		require.Equal(t, "input.design.options.providerUrl", made.Get("errors", 0, "field").String(), address)
	}
	made := b.create("ada", "Component", "STATIC_QUESTION", vars{
		"constants": []vars{{"name": "L", "type": "LIST", "items": []vars{{"name": "A"}}}}, "options": vars{"constant": "L", "providerUrl": "https://slots.example.com/"},
		"formats": []vars{{"format": "BUTTONS", "text": "What?"}},
	})
	require.Equal(t, "input.design.options.providerUrl", made.Get("errors", 0, "field").String())
}
