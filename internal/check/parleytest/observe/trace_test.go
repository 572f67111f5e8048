// Package observe holds Parley to what it tells its operators: traces and
// metrics.
package observe_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"parley/app"
	"parley/internal/channel/twilio"
	"parley/internal/check/parleytest"
	"parley/internal/ground/trace"
)

const (
	customer = "+12025550199"
	inbox    = `query Inbox { conversations(view: {kind: ALL}) { totalCount nodes { id name owner { name } lastMessage { id } } } }`
	send     = `mutation Send($id: ID!, $text: String!) { sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: "once"}) { errors { code } message { id } } }`
)

// traced is a Parley whose spans the test reads.
type traced struct {
	*parleytest.Parley
	exporter   *tracetest.InMemoryExporter
	statements atomic.Int32
}

func newTraced(t *testing.T, ratio float64) *traced {
	t.Helper()
	p := &traced{exporter: tracetest.NewInMemoryExporter()}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(p.exporter), sdktrace.WithSampler(trace.Sampler(ratio)))
	p.Parley = parleytest.New(t, func(c *app.Config) {
		c.Tracer = trace.New(provider)
		c.Trace = func(context.Context, string) func(error) { p.statements.Add(1); return nil }
	})
	return p
}

// during returns the spans that ended while f ran, and how many statements did.
func (p *traced) during(f func()) (spans, int) {
	p.exporter.Reset()
	before := p.statements.Load()
	f()
	return spans(p.exporter.GetSpans()), int(p.statements.Load() - before)
}

type spans []tracetest.SpanStub

// named is the one span with the name.
func (s spans) named(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	all := s.all(name)
	require.Len(t, all, 1, "%s among %v", name, s.names())
	return all[0]
}

func (s spans) all(name string) spans {
	return slices.DeleteFunc(slices.Clone(s), func(one tracetest.SpanStub) bool { return one.Name != name })
}

func (s spans) names() (out []string) {
	for _, one := range s {
		out = append(out, one.Name)
	}
	return out
}

// under are the spans right below another.
func (s spans) under(above tracetest.SpanStub) spans {
	return slices.DeleteFunc(slices.Clone(s), func(one tracetest.SpanStub) bool {
		return one.Parent.SpanID() != above.SpanContext.SpanID()
	})
}

// statements are the spans of statements.
func (s spans) statements() spans {
	return slices.DeleteFunc(slices.Clone(s), func(one tracetest.SpanStub) bool { return value(one, "db.query.text") == "" })
}

func value(span tracetest.SpanStub, key attribute.Key) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func (p *traced) conversation() string {
	p.Say(customer, parleytest.Billing, "a secret text")
	return p.As("amy").Do(inbox, nil).Get("conversations", "nodes", 0, "id").String()
}

func TestAQueryIsOneSpanWithItsStatements(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	p.conversation()
	got, statements := p.during(func() { p.As("amy").Do(inbox, nil) })
	root := got.named(t, "query Inbox")
	require.False(t, root.Parent.IsValid())
	require.Equal(t, oteltrace.SpanKindServer, root.SpanKind)
	require.Equal(t, "query", value(root, "graphql.operation.type"))
	require.Equal(t, "Inbox", value(root, "graphql.operation.name"))
	require.Len(t, value(root, "graphql.document.hash"), 16)
	require.Equal(t, "/graphql", value(root, "http.route"))
	require.Equal(t, "200", value(root, "http.response.status_code"))
	require.Equal(t, "ok", value(root, "parley.outcome"))
	require.NotZero(t, statements)
	require.Len(t, got.under(root).statements(), statements, "every statement has a span")
	require.Len(t, got, statements+1, "and nothing else has")
	for _, s := range got.statements() {
		require.Contains(t, []string{"sqlite", "postgresql"}, value(s, "db.system.name"))
		require.Equal(t, "SELECT", s.Name)
	}
}

func TestARefusedDocumentIsASpanToo(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	got, _ := p.during(func() { p.As("amy").Raw("query Wrong { nothing }", nil) })
	root := got.named(t, "POST /graphql")
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", value(root, "parley.outcome"))
	require.Equal(t, codes.Unset, root.Status.Code, "a caller's mistake is no failure of ours")
}

// taken is a transport that plays Twilio and keeps the headers it saw.
type taken struct {
	mu      sync.Mutex
	headers []http.Header
}

// RoundTrip implements http.RoundTripper.
func (c *taken) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, r.Header)
	return &http.Response{
		StatusCode: http.StatusCreated, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"sid":"SM` + strings.Repeat("0a", 16) + `"}`)),
	}, nil
}

func TestASendIsTracedToTheCarrier(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	carrier := &taken{}
	p.Messenger.Providers[twilio.Name] = twilio.New(twilio.Options{Transport: carrier})
	id := p.conversation()
	p.Run()
	p.Eventually(func() bool {
		return len(parleytest.Rows(t, p.Store, "SELECT id FROM river_job WHERE kind = 'catch_up'")) > 0
	},
		"what a start asks for is written, in no group with the send")
	got, _ := p.during(func() {
		p.As("amy").Do(send, parleytest.Vars{"id": id, "text": "another secret text"})
		p.Eventually(func() bool { return len(spans(p.exporter.GetSpans()).all("job drain_lane")) > 0 }, "the job ends")
	})
	root := got.named(t, "mutation Send")
	group := got.under(root).named(t, "write group")
	require.Equal(t, "1", value(group, "parley.items"))
	require.Equal(t, "1", value(group, "parley.events"))
	require.NotEmpty(t, got.under(group).statements(), "the tail")
	require.NotEmpty(t, got.under(root).statements(), "the send itself")

	job := got.named(t, "job drain_lane")
	require.Equal(t, root.SpanContext.SpanID(), job.Parent.SpanID(), "the job goes on in the trace of its write")
	require.Equal(t, "1", value(job, "parley.job.attempt"))
	require.Equal(t, "ok", value(job, "parley.outcome"))
	call := got.under(job).named(t, "send by twilio")
	require.Equal(t, oteltrace.SpanKindClient, call.SpanKind)
	require.Equal(t, "accepted", value(call, "parley.outcome"))
	require.Len(t, got.under(job).all("write group"), 2, "SENDING, then SENT")

	carrier.mu.Lock()
	defer carrier.mu.Unlock()
	require.Len(t, carrier.headers, 1)
	require.Empty(t, carrier.headers[0].Get("Traceparent"), "our traces are no carrier's business")
}

func TestWritesThatShareATransactionAreLinked(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	p.conversation()
	var shared tracetest.SpanStub
	for range 50 {
		got, _ := p.during(func() {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { p.Say(customer, parleytest.Billing, "Hello") })
			}
			wg.Wait()
		})
		for _, group := range got.all("write group") {
			if len(group.Links) > 0 {
				shared = group
			}
		}
		if len(shared.Links) == 0 {
			continue
		}
		require.Equal(t, value(shared, "parley.items"), attribute.IntValue(len(shared.Links)+1).String())
		for _, link := range shared.Links {
			i := slices.IndexFunc(got, func(s tracetest.SpanStub) bool { return s.SpanContext.SpanID() == link.SpanContext.SpanID() })
			require.GreaterOrEqual(t, i, 0)
			require.Equal(t, shared.SpanContext.SpanID(), got[i].Links[0].SpanContext.SpanID(), "and back")
		}
		return
	}
	require.Fail(t, "no two of 400 writes were grouped")
}

func TestASubscriptionIsTheSpanOfSubscribing(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	p.conversation()
	p.Run()
	got, _ := p.during(func() {
		s := p.As("amy").Subscribe(`subscription Watch { messageAdded { kind message { id } } }`, nil)
		s.Next()
		p.Say(customer, parleytest.Billing, "Hello")
		s.Next()
	})
	watch := got.named(t, "subscription Watch")
	require.False(t, watch.Parent.IsValid(), "a socket has no span")
	require.NotEmpty(t, got.under(watch).statements())
	hook := got.named(t, "POST /webhooks")
	require.Equal(t, "/webhooks/{provider}/{account}", value(hook, "http.route"))
	require.Len(t, got.under(hook).all("write group"), 1)
	for _, s := range got.under(watch) {
		require.False(t, s.StartTime.After(watch.EndTime), "what follows belongs to no request")
	}
}

// ask posts the inbox query with a traceparent.
func (p *traced) ask(t *testing.T, traceparent string) {
	t.Helper()
	token, err := p.Tokens.Mint("amy", 1e12)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://parley.test/graphql",
		strings.NewReader(`{"query":"query Inbox { viewer { agent { id } } }"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Traceparent", traceparent)
	p.Post(r)
}

func TestACallersTraceIsGoneOnWithWithinOurShare(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	p := newTraced(t, 1)
	got, _ := p.during(func() { p.ask(t, "00-"+id+"-b7ad6b7169203331-01") })
	root := got.named(t, "query Inbox")
	require.Equal(t, id, root.SpanContext.TraceID().String())
	require.Equal(t, "b7ad6b7169203331", root.Parent.SpanID().String())
	got, _ = p.during(func() { p.ask(t, "00-"+id+"-b7ad6b7169203331-00") })
	require.Empty(t, got, "the caller leaves this one out")

	none := newTraced(t, 0)
	got, statements := none.during(func() { none.ask(t, "00-"+id+"-b7ad6b7169203331-01"); none.conversation() })
	require.Empty(t, got, "a caller cannot have more recorded than we want")
	require.NotZero(t, statements)

	got, _ = p.during(func() {
		r := p.Inbound(inbound())
		r.Header.Set("Traceparent", "00-"+id+"-b7ad6b7169203331-01")
		p.Post(r)
	})
	require.NotEqual(t, id, got.named(t, "POST /webhooks").SpanContext.TraceID().String(), "webhooks are open to the world")
}

func TestSpansHoldNothingPrivate(t *testing.T) {
	t.Parallel()
	p := newTraced(t, 1)
	p.Run()
	got, _ := p.during(func() {
		id := p.conversation()
		p.As("amy").Do(send, parleytest.Vars{"id": id, "text": "another secret text"})
		p.As("amy").Do(`query Literal { conversations(view: {kind: ALL}, first: 5) @include(if: true) { totalCount } secret: viewer { agent { name } } }`, nil)
		p.As("amy").Do(`mutation Note($id: ID!) { addNote(input: {conversationId: $id, text: "a secret note", idempotencyKey: "n"}) { errors { code } } }`,
			parleytest.Vars{"id": id})
		p.Eventually(func() bool { return len(spans(p.exporter.GetSpans()).all("job drain_lane")) > 0 }, "the job ends")
	})
	require.NotEmpty(t, got.all("send by twilio"))
	for _, span := range got {
		require.Empty(t, span.Status.Description)
		require.Empty(t, span.Events, "errors are events, in words of their own")
		for _, a := range span.Attributes {
			for _, private := range []string{"secret", "2025550", "amy", "Amy", "eyJ", "once"} {
				require.NotContains(t, a.Value.String(), private, "%s %s", span.Name, a.Key)
			}
		}
	}
}
