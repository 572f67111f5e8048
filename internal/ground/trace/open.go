package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The bounds of what is kept and waited for, unless the environment says
// otherwise (OTEL_SPAN_…, OTEL_BSP_…).
const (
	mostAttribute = 4096 // characters: a statement for many rows is long
	flushTimeout  = 5 * time.Second
	errorInterval = time.Minute
)

// Open returns the Tracer that OpenTelemetry's environment variables ask for
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/),
// nil when they name no place to send traces to by OTLP over HTTP.
//
// Spans wait in a bounded queue, which a goroutine sends on: a collector that is
// slow or away loses traces and holds nobody up.
func Open(ctx context.Context) (*Tracer, error) {
	if !wanted() {
		return nil, nil
	}
	if p := firstOf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); p != "" && p != "http/protobuf" {
		return nil, fmt.Errorf("trace: traces are sent by OTLP over HTTP; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf instead of %s", p)
	}
	ratio, err := sampledRatio()
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", scope)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("trace: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	otel.SetErrorHandler(&seldom{})
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(Sampler(ratio)), sdktrace.WithRawSpanLimits(limits()))
	t := New(provider)
	t.close = func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			slog.Warn("the last traces could not be sent", "error", err)
		}
	}
	return t, nil
}

func wanted() bool {
	disabled, _ := strconv.ParseBool(os.Getenv("OTEL_SDK_DISABLED"))
	return !disabled && os.Getenv("OTEL_TRACES_EXPORTER") != "none" &&
		firstOf("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

func firstOf(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

func limits() sdktrace.SpanLimits {
	l := sdktrace.NewSpanLimits() // of the environment
	if l.AttributeValueLengthLimit < 0 {
		l.AttributeValueLengthLimit = mostAttribute
	}
	return l
}

// sampledRatio is the share of traces to record, by OTEL_TRACES_SAMPLER.
func sampledRatio() (float64, error) {
	switch name := os.Getenv("OTEL_TRACES_SAMPLER"); strings.TrimPrefix(name, "parentbased_") {
	case "", "always_on":
		return 1, nil
	case "always_off":
		return 0, nil
	case "traceidratio":
		ratio, err := strconv.ParseFloat(os.Getenv("OTEL_TRACES_SAMPLER_ARG"), 64)
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			return 0, errors.New("trace: OTEL_TRACES_SAMPLER_ARG is the share of traces to record, from 0 to 1, such as 0.01")
		}
		return ratio, nil
	default:
		return 0, fmt.Errorf("trace: OTEL_TRACES_SAMPLER is always_on, always_off or traceidratio, not %q", name)
	}
}

// Sampler records a share of the traces that begin here, and the same share of
// those that a caller wants recorded: a caller can leave their requests out, but
// not have more recorded than the operator wants. What belongs to a trace that
// is recorded is recorded.
func Sampler(ratio float64) sdktrace.Sampler {
	share := sdktrace.TraceIDRatioBased(ratio)
	return sdktrace.ParentBased(share, sdktrace.WithRemoteParentSampled(share))
}

// seldom logs what fails in sending traces, once a minute at most.
type seldom struct {
	mu     sync.Mutex
	next   time.Time
	passed int
}

// Handle implements otel.ErrorHandler.
func (s *seldom) Handle(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.next) {
		s.passed++
		return
	}
	slog.Warn("traces are lost: they cannot be sent", "error", err, "failures since the last line", s.passed)
	s.next, s.passed = now.Add(errorInterval), 0
}
