package observe

import (
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// metrics count requests and operations; their labels come from short lists.
type metrics struct {
	requests      *prometheus.CounterVec
	answers       *prometheus.HistogramVec
	operations    *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	subscriptions prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	durations := prometheus.ExponentialBuckets(0.001, 2.5, 11) // to 10 s
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "parley_http_request_seconds",
			Help:    "How long requests took, by route, except WebSockets and event streams.",
			Buckets: durations,
		}, []string{"route"}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_graphql_operations_total",
			Help: "Operations ended, by kind and outcome: ok, or the code of the first error.",
		}, []string{"kind", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "parley_graphql_operation_seconds",
			Help:    "How long queries and mutations took.",
			Buckets: durations,
		}, []string{"kind", "outcome"}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_graphql_subscriptions", Help: "Open subscriptions.",
		}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.answers, m.operations, m.durations, m.subscriptions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) request(route string, status int, streamed bool, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if status != http.StatusSwitchingProtocols && !streamed { // they live as long as their callers like
		m.answers.WithLabelValues(route).Observe(took.Seconds())
	}
}

func (m *metrics) operation(kind, outcome string, took time.Duration) {
	m.operations.WithLabelValues(kind, outcome).Inc()
	if kind != "subscription" { // lives as long as its caller likes
		m.durations.WithLabelValues(kind, outcome).Observe(took.Seconds())
	}
}

// Operation counts an operation of a socket that began then and ended with errs. op
// is nil if the operation was not even read.
func (o *Observer) Operation(op *graphql.OperationContext, errs gqlerror.List, began time.Time) {
	o.metrics.operation(kindOf(op), outcome(errs), time.Since(began))
}

// Subscribed counts one more open subscription, until Unsubscribed.
func (o *Observer) Subscribed() { o.metrics.subscriptions.Inc() }

// Unsubscribed counts one open subscription less.
func (o *Observer) Unsubscribed() { o.metrics.subscriptions.Dec() }
