package store

import (
	"database/sql"
	"os"
	"time"

	"entgo.io/ent/dialect"
	"github.com/prometheus/client_golang/prometheus"
)

// writerMetrics tell how the group writer fares.
type writerMetrics struct {
	items, seconds, commits prometheus.Histogram
	retries                 *prometheus.CounterVec
}

func newWriterMetrics() *writerMetrics {
	durations := prometheus.ExponentialBuckets(0.0005, 2.5, 11) // to 5 s
	m := &writerMetrics{
		items: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_write_group_items", Help: "Writes that shared a transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 7),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_write_group_seconds", Help: "How long transactions of the group writer took, from begin to commit.",
			Buckets: durations,
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_write_commit_seconds", Help: "How long only the commits took.", Buckets: durations,
		}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_write_retries_total",
			Help: "Groups run again: spoiled (each item by itself) or race (lost to another process).",
		}, []string{"reason"}),
	}
	for _, reason := range []string{"spoiled", "race"} {
		m.retries.WithLabelValues(reason) // there from the start, at 0
	}
	return m
}

func (m *writerMetrics) group(items int, took time.Duration) {
	m.items.Observe(float64(items))
	m.seconds.Observe(took.Seconds())
}

// Collectors are the metrics of the group writer and the database, to be
// registered.
func (s *Store) Collectors() []prometheus.Collector {
	w := s.writer
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_write_queue", Help: "Writes waiting for the group writer.",
	}, func() float64 { return float64(len(w.queue)) })
	all := []prometheus.Collector{w.metrics.items, w.metrics.seconds, w.metrics.commits, w.metrics.retries, queue, s.readyCollector()}
	if s.dialect == dialect.Postgres {
		return append(all, poolCollectors("all", s.pgxStats)...)
	}
	wal := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_database_wal_bytes", Help: "Size of SQLite's write-ahead log.",
	}, s.walBytes)
	all = append(append(all, wal), poolCollectors("write", sqlStats(s.db))...)
	return append(all, poolCollectors("read", sqlStats(s.reader))...)
}

func (s *Store) walBytes() float64 {
	info, err := os.Stat(s.place.main + "-wal")
	if err != nil {
		return 0 // none is there until something was written
	}
	return float64(info.Size())
}

// poolStats is the state of a pool of connections; waits are those for a
// connection to come free, since the start.
type poolStats struct {
	inUse, most int
	waits       int64
	waited      time.Duration
}

func sqlStats(db *sql.DB) func() poolStats {
	return func() poolStats {
		st := db.Stats()
		return poolStats{st.InUse, st.MaxOpenConnections, st.WaitCount, st.WaitDuration}
	}
}

func (s *Store) pgxStats() poolStats {
	st := s.pool.Stat()
	return poolStats{int(st.AcquiredConns()), int(st.MaxConns()), st.EmptyAcquireCount(), st.EmptyAcquireWaitTime()}
}

func poolCollectors(name string, stats func() poolStats) []prometheus.Collector {
	pool := prometheus.Labels{"pool": name}
	gauge := func(name, help string, value func(poolStats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: pool},
			func() float64 { return value(stats()) })
	}
	counter := func(name, help string, value func(poolStats) float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: pool},
			func() float64 { return value(stats()) })
	}
	return []prometheus.Collector{
		gauge("parley_database_connections_in_use", "Database connections at work.",
			func(s poolStats) float64 { return float64(s.inUse) }),
		gauge("parley_database_connections_most", "Database connections there may be.",
			func(s poolStats) float64 { return float64(s.most) }),
		counter("parley_database_waits_total", "Times that a connection had to be waited for, on PostgreSQL also opened.",
			func(s poolStats) float64 { return float64(s.waits) }),
		counter("parley_database_wait_seconds_total", "Time spent waiting for a connection.",
			func(s poolStats) float64 { return s.waited.Seconds() }),
	}
}
