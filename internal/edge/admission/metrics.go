package admission

import "github.com/prometheus/client_golang/prometheus"

// metrics count what was refused or had to give way.
type metrics struct {
	limited   *prometheus.CounterVec
	displaced prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, connections *connections, undeclared *undeclared) (*metrics, error) {
	m := &metrics{
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_rate_limited_total",
			Help: "Refused by a limit: operation (of a viewer), flight (too many in flight), sign-in, socket, webhook (of an address).",
		}, []string{"what"}),
		displaced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_websocket_displaced_total",
			Help: "WebSockets closed before sign-in to make room for others.",
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
	for _, c := range []prometheus.Collector{m.limited, m.displaced, open, waiting, streams, undeclared.gauge()} {
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
