package feed

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collectors are the metrics of the hub and its cursors, to be registered.
func (h *Hub) Collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		h.Cursors.resyncs,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "parley_feed_events_total", Help: "Events that this process has delivered to its streams.",
		}, func() float64 { return float64(h.handedOn.Load()) }),
		gauge("parley_feed_position", "Position of the event log that this process has handed on.",
			func() float64 { return float64(h.Position()) }),
		gauge("parley_feed_lag_events", "Events in the log that this process has not yet handed on.", h.lag),
		gauge("parley_feed_streams", "Streams that follow the log.",
			func() float64 { return float64(h.Streams()) }),
	}
}

// lag looks at the log; NaN when it cannot be read.
func (h *Hub) lag() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	position := h.Position() // first, for it only grows
	head, err := h.store.Head(ctx)
	if err != nil {
		return math.NaN()
	}
	return float64(head - position)
}
