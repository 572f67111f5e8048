package crmaction_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

// hook is a webhook that answers as it is told and keeps what it got.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status []int // of the next answers; then 200
	got    []call
}

type call struct {
	header http.Header
	body   string
}

func newHook(t *testing.T, status ...int) *hook {
	h := &hook{status: status}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, call{r.Header, string(body)})
		if len(h.status) > 0 {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(h.status[0])
			h.status = h.status[1:]
		}
		_, _ = io.WriteString(w, strings.Repeat("é", 2_000))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) calls() []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]call{}, h.got...)
}

// verified checks a call as Standard Webhooks says, with one of its signatures.
func verified(t *testing.T, c call, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(c.header.Get("webhook-id") + "." + c.header.Get("webhook-timestamp") + "." + c.body))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, s := range strings.Fields(c.header.Get("webhook-signature")) {
		if s == want {
			return true
		}
	}
	return false
}

func quick(c *app.Config) {
	c.WebhookPauses = []time.Duration{0, 0, 0}
}

// calling defines an action that calls a webhook, and returns its id and its secret.
func (b *bundle) calling(h *hook) (id, secret string) {
	b.T.Helper()
	made := b.ok(creating, "createCrmAction", vars{"name": "Call", "developerName": "Call", "performs": "CALL_WEBHOOK", "type": "MANUAL", "parameters": []vars{
		param("Url", "URL", h.URL+"/in?x=1"), param("Customer", "FIELD", "Address", "$Conversation"), param("Kind", "VALUE", "visit"),
	}})
	return made.Get("action", "id").String(), made.Get("webhookSecret").String()
}

func (b *bundle) delivered(id, status string) parleytest.Tree {
	b.T.Helper()
	b.Eventually(func() bool { return b.runs(id)[0].Get("delivery", "status").String() == status }, "the delivery is "+status)
	return b.runs(id)[0].Get("delivery")
}

func TestAWebhookIsSignedAndTriedUntilItIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t, quick)
	h := newHook(t, 500, 302)
	id, secret := b.calling(h)
	conversation := b.conversation("+12025550190")
	b.Run()
	ran := b.run("amy", id, conversation, nil)
	require.Empty(t, code(ran), ran.Get("errors").String())
	require.Empty(t, ran.Get("run", "delivery").String(), "an agent learns nothing of deliveries")
	delivery := b.delivered(id, "DELIVERED")
	calls := h.calls()
	require.Len(t, calls, 3, "a redirect is not followed")
	for _, c := range calls {
		require.True(t, verified(t, c, secret))
		require.Equal(t, calls[0].header.Get("webhook-id"), c.header.Get("webhook-id"))
		require.Equal(t, ran.Get("requests", 0, "body").String(), c.body)
	}
	var body struct {
		Type string
		Data struct {
			Run, Action, ConversationID string
			Parameters                  map[string]string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(calls[0].body), &body))
	require.Equal(t, "crm_action.run", body.Type)
	require.Equal(t, []string{ran.Get("run", "id").String(), "Call", conversation}, []string{body.Data.Run, body.Data.Action, body.Data.ConversationID})
	require.Equal(t, map[string]string{"Customer": "+12025550190", "Kind": "visit"}, body.Data.Parameters)
	require.Equal(t, []string{"500", "302", "200"}, []string{
		delivery.Get("attempts", 0, "status").String(), delivery.Get("attempts", 1, "status").String(), delivery.Get("attempts", 2, "status").String(),
	})
	require.Len(t, []rune(delivery.Get("attempts", 2, "answer").String()), 1_000)
}

func TestAWebhookThatIsGivenUpCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, quick)
	h := newHook(t, 500, 500, 500, 500)
	id, secret := b.calling(h)
	conversation := b.conversation("+12025550190")
	b.Run()
	run := b.run("amy", id, conversation, nil).Get("run", "id").String()
	b.delivered(id, "FAILED")
	require.Len(t, h.calls(), 4)

	const renew = `mutation($i: RenewCrmActionSecretInput!) { renewCrmActionSecret(input: $i) { webhookSecret errors { code message } } }`
	require.Equal(t, "FORBIDDEN", code(b.do("amy", renew, "renewCrmActionSecret", vars{"id": id})))
	fresh := b.ok(renew, "renewCrmActionSecret", vars{"id": id}).Get("webhookSecret").String()
	require.NotEqual(t, secret, fresh)
	const again = `mutation($i: RerunCrmActionInput!) { rerunCrmAction(input: $i) { run { id } errors { code message } } }`
	require.Equal(t, run, b.ok(again, "rerunCrmAction", vars{"runId": run}).Get("run", "id").String())
	b.delivered(id, "DELIVERED")
	last := h.calls()[4]
	require.True(t, verified(t, last, secret), "the secret before signs for a day")
	require.True(t, verified(t, last, fresh))
	require.Equal(t, h.calls()[0].header.Get("webhook-id"), last.header.Get("webhook-id"))
	b.Clock.Advance(25 * time.Hour)
	require.Empty(t, code(b.run("amy", id, conversation, nil)))
	b.delivered(id, "DELIVERED")
	require.False(t, verified(t, h.calls()[5], secret))
	require.True(t, verified(t, h.calls()[5], fresh))
}

func TestAWebhookThatIsGoneIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, quick)
	h := newHook(t, 410)
	id, _ := b.calling(h)
	conversation := b.conversation("+12025550190")
	b.Run()
	b.run("amy", id, conversation, nil)
	b.delivered(id, "FAILED")
	require.Len(t, h.calls(), 1)
}
