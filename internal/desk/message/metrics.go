package message

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Metrics tell how sending fares. They are a prometheus.Collector, to be
// registered; nil counts nothing.
type Metrics struct {
	store       *store.Store
	calls       *prometheus.HistogramVec
	interrupted prometheus.Counter
	waiting     *prometheus.Desc
	oldest      *prometheus.Desc
	ahead       *prometheus.Desc
}

// NewMetrics makes the Metrics of a Messenger that sends from s.
func NewMetrics(s *store.Store) *Metrics {
	return &Metrics{
		store: s,
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "parley_carrier_call_seconds",
			Help:    "How long calls to carriers took, by outcome: accepted, rejected, throttled, unreachable or unknown (the carrier may have it).",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9), // to 15 s
		}, []string{"provider", "outcome"}),
		interrupted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_lane_interrupted_total",
			Help: "Attempts found in SENDING after a crash and marked UNKNOWN, because their provider accepts no idempotency key.",
		}),
		waiting: prometheus.NewDesc("parley_lane_waiting", "Messages queued or being sent, in the whole database.", nil, nil),
		oldest:  prometheus.NewDesc("parley_lane_oldest_seconds", "Age of the oldest of them; 0 if there is none.", nil, nil),
		ahead:   prometheus.NewDesc("parley_lane_pace_seconds", "How long a message queued now would wait for its turn, on the channel furthest behind of those with a limit of messages a second; 600 means that long or longer.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.calls.Describe(out)
	m.interrupted.Describe(out)
	out <- m.waiting
	out <- m.oldest
	out <- m.ahead
}

// Collect implements prometheus.Collector. What waits is read from the database,
// by way of an index that holds nothing else.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.calls.Collect(out)
	m.interrupted.Collect(out)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, age, err := m.queue(ctx)
	var ahead time.Duration
	if err == nil {
		ahead, err = m.furthest(ctx)
	}
	if err != nil {
		slog.Warn("the metrics of the lanes could not be read", "error", err)
		return
	}
	out <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(n))
	out <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, age.Seconds())
	out <- prometheus.MustNewConstMetric(m.ahead, prometheus.GaugeValue, ahead.Seconds())
}

// called counts a call to a carrier.
func (m *Metrics) called(provider string, o channel.Outcome, took time.Duration) {
	if m != nil {
		m.calls.WithLabelValues(provider, outcomeName(o)).Observe(took.Seconds())
	}
}

// cutOff counts attempts that a crash left in doubt.
func (m *Metrics) cutOff(n int) {
	if m != nil {
		m.interrupted.Add(float64(n))
	}
}

func outcomeName(o channel.Outcome) string {
	switch o {
	case channel.Accepted:
		return "accepted"
	case channel.Rejected:
		return "rejected"
	case channel.Throttled:
		return "throttled"
	case channel.Unreachable:
		return "unreachable"
	}
	return "unknown"
}

func (m *Metrics) queue(ctx context.Context) (n int64, oldest time.Duration, err error) {
	a := entsql.Table("attempts").As("a")
	q := m.store.Builder().Select(entsql.Count("*"), entsql.Min(a.C("updated_at"))).From(a).Where(inLane(a))
	err = m.store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var since sql.NullInt64
		if err := rows.Scan(&n, &since); err != nil || !since.Valid {
			return err
		}
		oldest = max(0, m.store.Clock.Now().Sub(clock.Time(since.Int64)))
		return nil
	})
	return n, oldest, err
}

// furthest is how far ahead the next free turn of any channel is.
func (m *Metrics) furthest(ctx context.Context) (ahead time.Duration, err error) {
	q := m.store.Builder().Select(entsql.Max("next_at")).From(entsql.Table("paces"))
	err = m.store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var next sql.NullInt64
		err := rows.Scan(&next)
		ahead = min(max(0, clock.Time(next.Int64).Sub(m.store.Clock.Now())), mostAhead)
		return err
	})
	return ahead, err
}
