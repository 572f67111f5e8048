package trace_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"parley/internal/ground/trace"
)

const server = oteltrace.SpanKindServer

func tracer(ratio float64) (*trace.Tracer, *tracetest.InMemoryExporter) {
	out := tracetest.NewInMemoryExporter()
	return trace.New(sdktrace.NewTracerProvider(sdktrace.WithSyncer(out), sdktrace.WithSampler(trace.Sampler(ratio)))), out
}

// What every request pays where no traces are kept.
func TestWithoutATracerNothingIsAllocated(t *testing.T) { // not parallel: AllocsPerRun sees the whole process
	var none *trace.Tracer
	ctx := t.Context()
	header := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	hook := trace.Statements("sqlite")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ctx, span := none.Begin(none.Continue(none.Receive(ctx, header), ""), "request", server)
		below, inner := trace.Start(ctx, "write group")
		if done := hook(below, "SELECT 1"); done != nil {
			done(nil)
		}
		_ = trace.Parent(below)
		trace.End(inner, nil)
		span.End()
	}))
	none.Close()
}

func TestBelowASpanThatIsNotRecordedNothingIs(t *testing.T) {
	t.Parallel()
	tr, out := tracer(0)
	ctx, span := tr.Begin(t.Context(), "request", server)
	require.Empty(t, trace.Parent(ctx))
	_, inner := trace.Start(ctx, "write group")
	require.Nil(t, trace.Statements("sqlite")(ctx, "SELECT 1"))
	inner.End()
	span.End()
	require.Empty(t, out.GetSpans())
}

func TestWorkGoesOnInTheTraceOfItsParent(t *testing.T) {
	t.Parallel()
	tr, out := tracer(0.5)
	recorded := 0
	for range 200 {
		out.Reset()
		ctx, span := tr.Begin(t.Context(), "request", server)
		parent := trace.Parent(ctx)
		span.End()
		_, job := tr.Begin(tr.Continue(t.Context(), parent), "job", oteltrace.SpanKindConsumer)
		job.End()
		if parent == "" {
			continue
		}
		recorded++
		got := out.GetSpans()
		require.Len(t, got, 2)
		require.Equal(t, got[0].SpanContext.SpanID(), got[1].Parent.SpanID())
	}
	require.NotZero(t, recorded)
	require.Less(t, recorded, 200)
}

func TestAnErrorLeavesNoWords(t *testing.T) {
	t.Parallel()
	tr, out := tracer(1)
	ctx, span := tr.Begin(t.Context(), "request", server)
	trace.Statements("postgresql")(ctx, "INSERT INTO messages VALUES ($1)")(errors.New("duplicate: a secret"))
	span.End()
	got := out.GetSpans()[0]
	require.Equal(t, "INSERT", got.Name)
	require.Equal(t, codes.Error, got.Status.Code)
	require.Empty(t, got.Status.Description)
	require.Empty(t, got.Events)
}

func TestLogLinesCarryTheTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(trace.Logs(slog.NewTextHandler(&out, nil))).With("a", 1)
	tr, _ := tracer(1)
	ctx, span := tr.Begin(t.Context(), "request", server)
	log.InfoContext(ctx, "inside")
	require.Contains(t, out.String(), "trace_id="+span.SpanContext().TraceID().String())
	span.End()
	out.Reset()
	log.InfoContext(t.Context(), "outside")
	require.NotContains(t, out.String(), "trace_id")
}

// collector is where traces are sent to.
func collector(t *testing.T, answer http.HandlerFunc) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
}

func TestOpenGoesByTheEnvironment(t *testing.T) {
	none, err := trace.Open(t.Context())
	require.NoError(t, err)
	require.Nil(t, none, "off by default")

	bodies := make(chan int64, 10)
	collector(t, func(_ http.ResponseWriter, r *http.Request) { bodies <- r.ContentLength })
	tr, err := trace.Open(t.Context())
	require.NoError(t, err)
	_, span := tr.Begin(t.Context(), "request", server)
	require.True(t, span.IsRecording())
	span.End()
	tr.Close()
	require.Positive(t, <-bodies, "closing sends what is left")

	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_TRACES_SAMPLER": "jaeger_remote", "OTEL_RESOURCE_ATTRIBUTES": "nothing",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := trace.Open(t.Context())
			require.ErrorContains(t, err, name)
		})
	}
	for _, share := range []string{"", "2", "-1", "NaN", "many"} {
		t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
		t.Setenv("OTEL_TRACES_SAMPLER_ARG", share)
		_, err := trace.Open(t.Context())
		require.ErrorContains(t, err, "from 0 to 1", share)
	}
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	tr, err = trace.Open(t.Context())
	require.NoError(t, err)
	_, span = tr.Begin(t.Context(), "request", server)
	require.False(t, span.IsRecording())
	tr.Close()
	t.Setenv("OTEL_SDK_DISABLED", "true")
	tr, err = trace.Open(t.Context())
	require.NoError(t, err)
	require.Nil(t, tr)
}

func TestACollectorThatHangsHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	collector(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	tr, err := trace.Open(t.Context())
	require.NoError(t, err)
	start := time.Now()
	for range 10_000 {
		_, span := tr.Begin(context.Background(), "request", server)
		span.End()
	}
	require.Less(t, time.Since(start), 2*time.Second, "a thousand times the queue")
	start = time.Now()
	tr.Close()
	require.Less(t, time.Since(start), 8*time.Second, "closing waits five seconds at most")
}

func TestLostTracesAreLoggedOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		lost := trace.NewSeldom()
		count := func() int {
			return bytes.Count(out.Bytes(), []byte("traces are lost: they cannot be sent\" error=\"a test lost them\""))
		} // an exporter of another test may still log
		for range 100 {
			lost.Handle(errors.New("a test lost them"))
		}
		require.Equal(t, 1, count())
		<-time.After(time.Minute)
		lost.Handle(errors.New("a test lost them"))
		require.Equal(t, 2, count())
		require.Contains(t, out.String(), "=99")
	})
}
