package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the edge's own; their labels come from short lists.
type metrics struct {
	requests      *prometheus.CounterVec
	answers       *prometheus.HistogramVec
	operations    *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	subscriptions prometheus.Gauge
	limited       *prometheus.CounterVec
	displaced     prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, connections *connections) (*metrics, error) {
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
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_rate_limited_total",
			Help: "Refused by a limit: operation (of a viewer), flight (too many in flight), sign-in, socket, webhook (of an address).",
		}, []string{"what"}),
		displaced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_websocket_displaced_total",
			Help: "WebSockets closed before sign-in to make room for others.",
		}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_graphql_subscriptions", Help: "Open subscriptions.",
		}),
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_websocket_connections", Help: "Open WebSockets.",
	}, func() float64 { sockets, _, _ := connections.count(); return float64(sockets) })
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_websocket_waiting", Help: "Open WebSockets that have not signed in.",
	}, func() float64 { _, waiting, _ := connections.count(); return float64(waiting) })
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_event_streams", Help: "Open streams of Server-Sent Events.",
	}, func() float64 { _, _, streams := connections.count(); return float64(streams) })
	for _, c := range []prometheus.Collector{
		m.requests, m.answers, m.operations, m.durations, m.subscriptions, m.limited, m.displaced, open, waiting, streams,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	for _, what := range []string{"operation", "sign-in", "socket", "webhook"} {
		m.limited.WithLabelValues(what) // shown from the start
	}
	return m, nil
}

func (m *metrics) limit(what string) { m.limited.WithLabelValues(what).Inc() }

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
