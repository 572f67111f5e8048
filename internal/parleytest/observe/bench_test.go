package observe_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"parley/internal/app"
	"parley/internal/parleytest"
	"parley/internal/server"
	"parley/internal/trace"
)

// nowhere takes spans as an exporter does, and sends them nowhere.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

// BenchmarkInboxPage compares a page of 50 conversations with and without traces:
// go test -bench InboxPage -count 6.
func BenchmarkInboxPage(b *testing.B) {
	const page = `query Inbox { conversations(view: {kind: ALL}, first: 50) { nodes { id name preview isUnread lastMessage { id status } owner { name } } } }`
	for _, way := range []string{"off", "0", "0.01", "1"} {
		p := parleytest.New(b, func(c *app.Config) {
			inner := c.Server
			c.Server = func(o *server.Options) { inner(o); o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) }
			var ratio float64
			if _, err := fmt.Sscan(way, &ratio); err == nil {
				c.Tracer = trace.New(sdktrace.NewTracerProvider(sdktrace.WithBatcher(nowhere{}), sdktrace.WithSampler(trace.Sampler(ratio))))
			}
		})
		for i := range 50 {
			p.Say(fmt.Sprintf("+120255502%02d", i), parleytest.Sales, "Hello")
		}
		amy := p.As("amy")
		b.Run("traces="+way, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				amy.Raw(page, nil)
			}
		})
	}
}
