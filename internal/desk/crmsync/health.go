package crmsync

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/connector"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Health is how an active connection does, for operators.
type Health struct {
	ConnectionID string
	Name         string
	// Problem is what went wrong last, in plain words; empty when all is well.
	Problem string
	// Lag is how long ago the last whole round ended, or the connection was made if there was
	// none, for the object type that is furthest behind; 0 for a connection that Parley does
	// not read.
	Lag time.Duration
	// FailedWrites count what did not get to the CRM, 10,000 at most.
	FailedWrites int64
}

// Healths read how the active connections do, by name, in one statement.
func Healths(ctx context.Context, s *store.Store, now clock.Time) ([]Health, error) {
	return healths(ctx, s, now, mostCounted)
}

// healths are Healths that count so many failed writes at most.
func healths(ctx context.Context, s *store.Store, now clock.Time, most int) (all []Health, err error) {
	err = s.Read(ctx, store.System("operators look at connections"), readHealths.With(most), func(rows *sql.Rows) error {
		var h Health
		var kind string
		var created int64
		var settings, progress []byte
		var problem sql.NullString // none before it is first started
		if err := rows.Scan(&h.ConnectionID, &h.Name, &kind, &created, &settings, &progress, &problem, &h.FailedWrites); err != nil {
			return err
		}
		h.Problem = problem.String
		if Kind(kind) != Webhook {
			caughtUp, err := caughtUpAt(settings, progress, clock.Time(created))
			if err != nil {
				return err
			}
			h.Lag = max(0, now.Std().Sub(caughtUp.Std()))
		}
		all = append(all, h)
		return nil
	})
	return all, err
}

var readHealths = store.Fixed(`SELECT c.key, c.name, c.kind, c.created_at, c.settings, s.progress, s.problem,
	(SELECT COUNT(*) FROM (SELECT 1 FROM record_writes AS w WHERE w.connection_id = c.id AND w.status = 'FAILED' LIMIT ?) AS f)
FROM crm_connections AS c LEFT JOIN crm_syncs AS s ON s.connection_id = c.id WHERE c.active ORDER BY c.name, c.id`)

// caughtUpAt is when everything of all object types had been read last; created where a type
// was never read to its end.
func caughtUpAt(settings, progress []byte, created clock.Time) (clock.Time, error) {
	var set connector.Settings
	var come []connector.Progress
	if err := json.Unmarshal(settings, &set); err != nil {
		return 0, err
	}
	if len(progress) > 0 {
		if err := json.Unmarshal(progress, &come); err != nil {
			return 0, err
		}
	}
	earliest := clock.Time(math.MaxInt64)
	for _, t := range set.Types {
		at := created
		if i := progressOf(come, t.ObjectType); i >= 0 && come[i].CaughtUp > 0 {
			at = come[i].CaughtUp
		}
		earliest = min(earliest, at)
	}
	if len(set.Types) == 0 {
		return created, nil
	}
	return earliest, nil
}

// Collectors are the metrics of connections, to be registered.
func (s *Service) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.Changes, s.Writes, pulse{s}}
}

// pulse tells how all active connections do, read once for each look.
type pulse struct{ *Service }

var (
	lagging = prometheus.NewDesc("parley_crm_lag_seconds", "Time since the last whole round, of the active connection and object type furthest behind; 0 if no CRM is read.", nil, nil)
	failing = prometheus.NewDesc("parley_crm_failing", "Active connections to CRMs that fail.", nil, nil)
)

// Describe implements prometheus.Collector.
func (pulse) Describe(to chan<- *prometheus.Desc) { to <- lagging; to <- failing }

// Collect implements prometheus.Collector. The values are NaN when the database cannot be
// read.
func (p pulse) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	lag, failed := 0.0, 0.0
	all, err := healths(ctx, p.Store, p.Store.Clock.Now(), 0)
	if err != nil {
		lag, failed = math.NaN(), math.NaN()
	}
	for _, h := range all {
		lag = max(lag, h.Lag.Seconds())
		if h.Problem != "" {
			failed++
		}
	}
	to <- prometheus.MustNewConstMetric(lagging, prometheus.GaugeValue, lag)
	to <- prometheus.MustNewConstMetric(failing, prometheus.GaugeValue, failed)
}
