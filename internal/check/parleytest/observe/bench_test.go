package observe_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
	"parley/internal/ground/trace"
)

// nowhere takes spans as an exporter does, and sends them nowhere.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

// BenchmarkInboxPage compares a page of 50 conversations with and without traces:
// go test -bench InboxPage -count 6.
func BenchmarkInboxPage(b *testing.B) {
	const page = `query Inbox { conversations(view: {kind: ALL}, first: 50) { nodes { id name preview isUnread lastMessage { id status } owner { name } } } }`
	ways := []string{"off", "0", "0.01", "1"}
	clients := map[string]*parleytest.Client{}
	for _, way := range ways { // all before any is measured: they share a heap
		p := parleytest.New(b, traces(way))
		for i := range 50 {
			p.Say(fmt.Sprintf("+120255502%02d", i), parleytest.Sales, "Hello")
		}
		clients[way] = p.As("amy")
	}
	for _, way := range ways {
		b.Run("traces="+way, func(b *testing.B) {
			b.ReportAllocs()
			before := busyTime(b)
			for b.Loop() {
				clients[way].Raw(page, nil)
			}
			b.ReportMetric(float64(busyTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// busyTime is how long the process was on a core: what holds on a busy machine.
func busyTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// traces is a share of traces to record, or off; the access log is not measured.
func traces(way string) func(*app.Config) {
	return func(c *app.Config) {
		inner := c.Server
		c.Server = func(o *server.Options) { inner(o); o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) }
		var ratio float64
		if _, err := fmt.Sscan(way, &ratio); err == nil {
			c.Tracer = trace.New(sdktrace.NewTracerProvider(sdktrace.WithBatcher(nowhere{}), sdktrace.WithSampler(trace.Sampler(ratio))))
		}
	}
}
