package inbound_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	twiliosms "parley/internal/channel/twilio"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// form is a text as Twilio posts it, with names and values changed or added in turn.
func form(change ...string) url.Values {
	f := url.Values{"MessageSid": {"SM" + strings.Repeat("c", 32)}, "From": {customer}, "To": {parleytest.Billing}, "Body": {"please look at this"}}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

// postForm posts a form that Twilio has signed.
func postForm(t *testing.T, p *parleytest.Parley, f url.Values) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/twilio/twilio-demo", strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(twiliosms.SignatureHeader, twiliosms.Sign(twiliosms.DemoToken, twilioHook, f))
	require.Equal(t, http.StatusOK, p.Answer(r).Code)
}

func elevenFiles() (pairs []string) {
	for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		pairs = append(pairs, "MediaUrl"+n, "https://api.twilio.com/"+n)
	}
	return append(pairs, "NumMedia", "11")
}

// Whatever a verified customer's message holds, agents see it: with what can be
// shown, and with a line for what cannot.
func TestWhatCannotBeTakenHidesNothingElse(t *testing.T) {
	t.Parallel()
	const text, unshown = "please look at this", "The customer sent something that cannot be shown here: "
	for name, test := range map[string]struct {
		form  url.Values
		from  string
		files int
		says  []string
	}{
		"a file elsewhere":       {form("NumMedia", "1", "MediaUrl0", "https://elsewhere.example/1.jpg"), customer, 0, []string{text, "Part of this message cannot be shown here: 1 file missing at the carrier."}},
		"eleven files":           {form(elevenFiles()...), customer, 10, []string{text, "Part of this message cannot be shown here: 1 file beyond the first 10."}},
		"only a file elsewhere":  {form("Body", "", "NumMedia", "1", "MediaUrl0", "ftp://x"), customer, 0, []string{unshown + "1 file missing at the carrier."}},
		"files without a number": {form("NumMedia", "-1"), customer, 0, []string{text, "Part of this message cannot be shown here: files whose number cannot be read."}},
		"a name with a sign":     {form("From", "Boots'UK"), "Boots'UK", 0, []string{text}},
		"a name in Greek":        {form("From", "Τράπεζα"), "Τράπεζα", 0, []string{text}},
		"a name with NUL":        {form("From", "Bo\x00ots"), "Boots", 0, []string{text}},
		"a very long name":       {form("From", strings.Repeat("x", 900)), strings.Repeat("x", 200), 0, []string{text}},
		"no sender":              {form("From", " \u200b"), "unknown sender", 0, []string{text}},
		"a status of its own":    {form("SmsStatus", "relayed"), customer, 0, []string{text}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _, _ := twilio(t)
			postForm(t, p, test.form)
			postForm(t, p, test.form)
			require.Empty(t, problems(t, p))
			c := p.As("amy").Do(thread, nil).Get("conversations", "nodes", 0)
			require.Equal(t, test.from, c.Get("mobileNumber").String())
			require.Equal(t, test.says[0], c.Get("preview").String())
			require.Equal(t, 1, c.Get("newCount").Int())
			var says []string
			for _, m := range c.Get("messages", "nodes").List() {
				says = append(says, m.Get("content", "text").String())
			}
			require.Equal(t, test.says, says)
			if test.files > 0 {
				require.Len(t, c.Get("messages", "nodes", 0, "content", "files").List(), test.files)
			}
		})
	}
}

func TestAFileThatIsNotTakenIsKeptForOperators(t *testing.T) {
	t.Parallel()
	p, _, _ := twilio(t)
	postForm(t, p, form("NumMedia", "1", "MediaUrl0", "https://elsewhere.example/1.jpg"))
	require.Len(t, messages(t, p), 2)
	require.Contains(t, payload(t, p), "https://elsewhere.example/1.jpg")
}

// What an older version kept as FAILED is taken in by this one's rule.
func TestWhatWasKeptAsFailedIsHealed(t *testing.T) {
	t.Parallel()
	p, _, _ := twilio(t)
	body := form("From", "Boots'UK").Encode()
	kept, err := json.Marshal(channel.Kept{Raw: &channel.RawWebhook{ContentType: "application/x-www-form-urlencoded", Body: []byte(body)}})
	require.NoError(t, err)
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.RawInbound.Create().SetProviderAccountID(p.Directory.Account("twilio-demo").ID).SetEventID("hash").SetState("FAILED").
			SetPayload(kept).SetError("the sender or the destination is not an SMS address").SetCreatedAt(tx.Now).Exec(ctx)
	}))
	tried, taken, err := p.Receiver.Rerun(context.Background(), 10)
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 1}, [2]int{tried, taken})
	require.Len(t, messages(t, p), 1)
	postForm(t, p, form("From", "Boots'UK"))
	require.Len(t, messages(t, p), 1, "still the same event")
}
