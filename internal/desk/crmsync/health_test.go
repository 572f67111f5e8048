package crmsync_test

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/crmsync"
)

// gauges are the metrics of connections that are single numbers, by name.
func (b *bundle) gauges() map[string]float64 {
	b.T.Helper()
	registry, values := prometheus.NewPedanticRegistry(), map[string]float64{}
	for _, c := range b.Schema.Syncs.Collectors() {
		require.NoError(b.T, registry.Register(c))
	}
	families, err := registry.Gather()
	require.NoError(b.T, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if m.GetGauge() != nil {
				values[f.GetName()] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

func TestOperatorsSeeThatACRMFailsOrIsBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, map[string]float64{"parley_crm_lag_seconds": 0, "parley_crm_failing": 0}, b.gauges(), "there from the start")
	s := b.sync(0, map[string]any{"objectType": "Contact"}, map[string]any{"objectType": "Lead"})
	s.Clock.Advance(time.Minute)
	require.InDelta(t, 60, b.gauges()["parley_crm_lag_seconds"], 1, "since it was made")
	s.settle()
	caughtUp := b.gauges()
	require.InDelta(t, 0, caughtUp["parley_crm_lag_seconds"], 1)

	s.server.Close()
	s.Clock.Advance(2 * time.Hour)
	s.pull()
	got := b.gauges()
	require.InDelta(t, 7200, got["parley_crm_lag_seconds"], 1)
	require.InDelta(t, 1, got["parley_crm_failing"], 0)
	all, err := crmsync.Healths(t.Context(), b.Store, b.Clock.Now())
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "Salesforce", all[0].Name)
	require.NotEmpty(t, all[0].Problem)
	require.InDelta(t, 7200, all[0].Lag.Seconds(), 1)

	b.ok("pauseCrmConnection", map[string]any{"id": s.id})
	require.Equal(t, map[string]float64{"parley_crm_lag_seconds": 0, "parley_crm_failing": 0}, b.gauges(), "whoever paused it knows")
	require.NoError(t, b.Store.Close())
	require.True(t, math.IsNaN(b.gauges()["parley_crm_lag_seconds"]), "nobody knows")
}
