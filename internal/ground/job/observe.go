package job

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"parley/internal/ground/trace"
)

// NewDurations makes the histogram of how long jobs took, by kind and by how
// they ended: ok, later (to be gone on with), failed or panicked. It is to be
// registered.
func NewDurations() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "parley_job_seconds",
		Help:    "How long jobs took, by kind and outcome: ok, later (postponed itself), failed (retried) or panicked.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 9), // to 65 s
	}, []string{"kind", "outcome"})
}

// observed times and traces every job, and shows it whether to stop.
type observed struct {
	river.MiddlewareDefaults
	stopping  context.Context // ends when the process is told to stop; River does not tell jobs
	tracer    *trace.Tracer
	durations *prometheus.HistogramVec // nil for none
}

// Work implements rivertype.WorkerMiddleware. The job's span stands in the trace
// of the write that added the job, when that is recorded.
func (o *observed) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	start, outcome := time.Now(), "panicked"
	ctx, span := o.tracer.Begin(o.tracer.Continue(ctx, parent(o.tracer, job)), "job "+job.Kind, oteltrace.SpanKindConsumer,
		attribute.String("parley.job.kind", job.Kind), attribute.Int64("parley.job.id", job.ID), attribute.Int("parley.job.attempt", job.Attempt))
	defer func() {
		if o.durations != nil {
			o.durations.WithLabelValues(job.Kind, outcome).Observe(time.Since(start).Seconds())
		}
		span.SetAttributes(attribute.String("parley.outcome", outcome))
		if outcome == "failed" || outcome == "panicked" {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}()
	err := work(context.WithValue(ctx, stoppingKey{}, o.stopping))
	var later *rivertype.JobSnoozeError
	switch {
	case err == nil:
		outcome = "ok"
	case errors.As(err, &later):
		outcome = "later"
	default:
		outcome = "failed"
	}
	return err
}

// parent is where the store says that a job was added.
func parent(tracer *trace.Tracer, job *rivertype.JobRow) string {
	var added struct {
		Traceparent string `json:"traceparent"`
	}
	if tracer == nil || json.Unmarshal(job.Metadata, &added) != nil {
		return ""
	}
	return added.Traceparent
}
