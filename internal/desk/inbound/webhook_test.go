package inbound_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	"parley/internal/desk/inbound"
	"parley/internal/ground/store"
)

const customer = "+12025550199"

// hook is the URL of the demo account's webhook.
func hook(p *parleytest.Parley) string { return p.PublicURL() + "/webhooks/sandbox/demo" }

// said is a customer's message.
func said(id, text string) sandbox.Entry {
	return sandbox.Entry{Type: "message", ID: id, From: customer, To: parleytest.Sales, Text: text}
}

// compose signs entries into one webhook.
func compose(t testing.TB, p *parleytest.Parley, entries ...sandbox.Entry) *http.Request {
	t.Helper()
	req, err := sandbox.Compose(sandbox.DemoSecret, hook(p), entries...)
	require.NoError(t, err)
	return req
}

// raw signs any body.
func raw(t testing.TB, p *parleytest.Parley, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook(p), strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(sandbox.SignatureHeader, sandbox.Sign(sandbox.DemoSecret, hook(p), []byte(body)))
	return req
}

func count(t testing.TB, p *parleytest.Parley, table string, where *entsql.Predicate) (n int) {
	t.Helper()
	q := p.Store.Builder().Select(entsql.Count("*")).From(entsql.Table(table))
	if where != nil {
		q.Where(where)
	}
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

func state(s string) *entsql.Predicate { return entsql.EQ("state", s) }

// problems are why entries are FAILED, oldest first.
func problems(t testing.TB, p *parleytest.Parley) (out []string) {
	t.Helper()
	q := p.Store.Builder().Select("error").From(entsql.Table("raw_inbounds")).Where(state("FAILED")).OrderBy("id")
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var problem string
		err := rows.Scan(&problem)
		out = append(out, problem)
		return err
	}))
	return out
}

const thread = `{ conversations(view: {kind: ALL}, first: 2) { nodes { name mobileNumber preview isUnread newCount messages(first: 50) { nodes {
	number kind direction source providerTime
	content { __typename ... on TextContent { text } ... on MediaContent { text files { contentType } } ... on EventContent { text } } } } } } }`

// messages are those of the only conversation.
func messages(t testing.TB, p *parleytest.Parley) []parleytest.Tree {
	t.Helper()
	nodes := p.As("amy").Do(thread, nil).Get("conversations", "nodes").List()
	require.Len(t, nodes, 1)
	return nodes[0].Get("messages", "nodes").List()
}

func TestAWrongOrAbsentSignatureChangesNothing(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	good := compose(t, p, said("e1", "Hello")).Header.Get(sandbox.SignatureHeader)
	for name, change := range map[string]func(*http.Request){
		"absent":           func(r *http.Request) { r.Header.Del(sandbox.SignatureHeader) },
		"empty":            func(r *http.Request) { r.Header.Set(sandbox.SignatureHeader, "") },
		"wrong":            func(r *http.Request) { r.Header.Set(sandbox.SignatureHeader, "sha256=00") },
		"twice":            func(r *http.Request) { r.Header.Add(sandbox.SignatureHeader, good) },
		"another body":     func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{}`)) },
		"another path":     func(r *http.Request) { r.URL.RawQuery = "attempt=x" },
		"another's secret": func(r *http.Request) { r.Header.Set(sandbox.SignatureHeader, sandbox.Sign("other", hook(p), nil)) },
	} {
		req := compose(t, p, said("e1", "Hello"))
		change(req)
		rec := p.Answer(req)
		require.Equal(t, http.StatusForbidden, rec.Code, name)
	}
	require.Zero(t, count(t, p, "raw_inbounds", nil))
	require.Zero(t, count(t, p, "messages", nil))
	require.Zero(t, count(t, p, "events", entsql.NotIn("cause", "DIRECTORY_CHANGED", "SUBJECT_CHANGED")))
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for _, path := range []string{"/webhooks/sandbox/nobody", "/webhooks/pigeon/demo", "/webhooks/twilio/demo", "/webhooks/sandbox/twilio-demo"} {
		req := compose(t, p, said("e1", "Hello"))
		req.URL.Path = path
		require.Equal(t, http.StatusNotFound, p.Answer(req).Code, path)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		for path, allow := range map[string]string{"/webhooks/twilio/twilio-demo": "POST", "/webhooks/pigeon/demo": "POST", "/webhooks/sandbox/demo": "GET, POST"} {
			if method == http.MethodGet && allow != http.MethodPost {
				continue // it is asked whether the address is ours
			}
			req := compose(t, p, said("e1", "Hello"))
			req.Method, req.URL.Path = method, path
			rec := p.Answer(req)
			require.Equal(t, http.StatusMethodNotAllowed, rec.Code, method)
			require.Equal(t, allow, rec.Header().Get("Allow"))
		}
	}
	require.Zero(t, count(t, p, "raw_inbounds", nil))
}

func TestAnOversizedWebhookIsRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	rec := p.Answer(raw(t, p, strings.Repeat("x", inbound.MostBody+1)))
	require.Equal(t, http.StatusRequestEntityTooLarge, rec.Code)
	require.Zero(t, count(t, p, "raw_inbounds", nil))
	require.Equal(t, http.StatusOK, p.Answer(raw(t, p, strings.Repeat("x", inbound.MostBody))).Code, "signed, so it is kept raw")
	require.Len(t, problems(t, p), 1)
}

func TestADoubledWebhookCountsOnce(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for range 3 {
		p.Post(compose(t, p, said("e1", "Hello")))
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { p.Post(compose(t, p, said("e2", "Again"), said("e2", "Again"))) })
	}
	wg.Wait()
	got := messages(t, p)
	require.Len(t, got, 2)
	require.Equal(t, "Again", got[1].Get("content", "text").String())
	require.Equal(t, 2, count(t, p, "raw_inbounds", state("DONE")))
	require.Equal(t, 2, count(t, p, "events", entsql.EQ("cause", "MESSAGE_ADDED")))
}

func TestADoubledWebhookCountsOnceAcrossProcesses(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	processes := []*parleytest.Parley{parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)}
	var wg sync.WaitGroup
	for i := range 60 {
		p := processes[i%2]
		wg.Go(func() { p.Post(compose(t, p, said(fmt.Sprint("e", i/6), "Hello"))) })
	}
	wg.Wait()
	require.Len(t, messages(t, processes[0]), 10)
	for i, m := range messages(t, processes[1]) {
		require.Equal(t, i+1, m.Get("number").Int(), "dense numbers")
	}
}

func TestOneBadEntryLosesNoOther(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Post(raw(t, p, fmt.Sprintf(`[
		{"type":"message","id":"e1","from":%[1]q,"to":%[2]q,"text":"one"},
		{"type":"dance","id":"e2"},
		{"type":"message","id":"e3","from":%[1]q,"to":"+12025550177","text":"to nobody we know"},
		{"type":"receipt","id":"e4","messageId":"SBnone","status":"DELIVERED"},
		"what",
		{"type":"message","id":"e5","from":%[1]q,"to":%[2]q,"text":"two"}]`, customer, parleytest.Sales)))
	got := messages(t, p)
	require.Len(t, got, 2)
	require.Equal(t, "one", got[0].Get("content", "text").String(), "in their order")
	require.Equal(t, "two", got[1].Get("content", "text").String())
	require.Equal(t, 2, count(t, p, "raw_inbounds", state("DONE")))
	require.Equal(t, 1, count(t, p, "raw_inbounds", state("PENDING")))
	p.Post(compose(t, p, said("e1", "one")))
	require.Equal(t, map[string]int{"DONE": 2, "PENDING": 1, "FAILED": 3, "DUPLICATE": 1}, counted(t, p))
	require.ElementsMatch(t, []string{
		"the entry's type is unknown", "no channel of this account has the address to which the message was sent",
		"the entry is not JSON in the documented format",
	}, problems(t, p))
}

// counted is what the metrics say of entries, by outcome.
func counted(t testing.TB, p *parleytest.Parley) map[string]int {
	t.Helper()
	families, err := p.Server.Registry().Gather()
	require.NoError(t, err)
	out := map[string]int{}
	for _, f := range families {
		if f.GetName() != "parley_inbound_entries_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			out[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return out
}

func TestWhatACustomerCanSend(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 200_000)
	for name, test := range map[string]struct {
		change        func(*sandbox.Entry)
		kind, content string
	}{
		"files": {func(e *sandbox.Entry) {
			e.Media = []channel.Media{{ContentType: "image/jpeg", URL: "https://sandbox.invalid/1"}}
		}, "MEDIA", `{"__typename":"MediaContent","files":[{"contentType":"image/jpeg"}],"text":"Hi"}`},
		"a sticker": {
			func(e *sandbox.Entry) { e.Unsupported = "sticker" }, "EVENT",
			`{"__typename":"EventContent","text":"The customer sent something that cannot be shown here: sticker."}`,
		},
		"no text":        {func(e *sandbox.Entry) { e.Text = "" }, "TEXT", `{"__typename":"TextContent","text":""}`},
		"NUL":            {func(e *sandbox.Entry) { e.Text = "a\x00b" }, "TEXT", `{"__typename":"TextContent","text":"ab"}`},
		"invalid UTF-8":  {func(e *sandbox.Entry) { e.Text = "a\xffb" }, "TEXT", "{\"__typename\":\"TextContent\",\"text\":\"a\uFFFDb\"}"},
		"a national one": {func(e *sandbox.Entry) { e.From = "2025550199" }, "TEXT", `{"__typename":"TextContent","text":"Hi"}`},
		"a huge text":    {func(e *sandbox.Entry) { e.Text = long }, "TEXT", `{"__typename":"TextContent","text":"` + long[:content.MostListed] + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parleytest.New(t)
			e := said("e1", "Hi")
			test.change(&e)
			p.Post(compose(t, p, e))
			got := messages(t, p)
			require.Len(t, got, 1)
			require.Equal(t, test.kind, got[0].Get("kind").String())
			require.Equal(t, test.content, got[0].Get("content").String())
			require.Equal(t, "INBOUND", got[0].Get("direction").String())
			c := p.As("amy").Do(thread, nil).Get("conversations", "nodes", 0)
			require.Equal(t, customer, c.Get("mobileNumber").String())
			require.LessOrEqual(t, len([]rune(c.Get("preview").String())), 120)
			require.True(t, c.Get("isUnread").Bool())
		})
	}
}

// The answer 200 is given after the commit: whoever reads then finds the message.
func TestTheMessageIsThereWhenTheCarrierIsAnswered(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			e := said(fmt.Sprint("e", i), "Hello")
			e.From = fmt.Sprintf("+1202555%04d", 1000+i)
			p.Post(compose(t, p, e))
			if n := count(t, p, "messages", entsql.EQ("provider_id", e.ID)); n != 1 {
				t.Errorf("%d messages after the answer", n)
			}
		})
	}
	wg.Wait()
}

func TestAFailureOfStorageAsksTheCarrierToComeBack(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	rename(t, p, "raw_inbounds", "hidden")
	rec := p.Answer(compose(t, p, said("e1", "Hello")))
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.NotEmpty(t, rec.Header().Get("Retry-After"))
	require.NotContains(t, rec.Body.String(), "hidden")
	rename(t, p, "hidden", "raw_inbounds")
	require.Zero(t, count(t, p, "raw_inbounds", nil))
	require.Zero(t, count(t, p, "messages", nil))
	p.Post(compose(t, p, said("e1", "Hello")))
	require.Len(t, messages(t, p), 1)
}

// A server that is told to stop gives up on what still waits: that is no 200.
func TestAWebhookThatIsCutShortIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := p.Answer(compose(t, p, said("e1", "Hello")).WithContext(ctx))
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Zero(t, count(t, p, "messages", nil))
}

// rename takes a table away, or puts it back.
func rename(t testing.TB, p *parleytest.Parley, from, to string) {
	t.Helper()
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL("ALTER TABLE "+from+" RENAME TO "+to))
		return err
	}))
}

func TestAnUnreadableBodyIsABadRequest(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	req := compose(t, p, said("e1", "Hello"))
	req.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte("{")), broken{}))
	require.Equal(t, http.StatusBadRequest, p.Answer(req).Code)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// payload is what is kept of the newest entry.
func payload(t testing.TB, p *parleytest.Parley) (kept string) {
	t.Helper()
	q := p.Store.Builder().Select("payload").From(entsql.Table("raw_inbounds")).OrderBy("id")
	require.NoError(t, p.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var raw []byte
		err := rows.Scan(&raw)
		kept = string(raw)
		return err
	}))
	return kept
}
