package app

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
	"parley/internal/ground/trace"
)

// registerMetrics adds what the parts count to what the edge counts.
func (a *App) registerMetrics() error {
	a.Config.Jobs.Tracer, a.Config.Jobs.Durations = a.Config.Tracer, job.NewDurations()
	all := []prometheus.Collector{a.Receiver.Entries, a.Responder.Responses, a.Messenger.Metrics, a.Config.Jobs.Durations, a.unheard(), a.stale()}
	all = slices.Concat(all, a.Schema.Syncs.Collectors(), a.Store.Collectors(), a.Hub.Collectors(), a.selection.Collectors(), a.verifier.Collectors())
	if bus, ok := a.bus.(far); ok {
		all = append(all, connected(bus))
	}
	for _, c := range all {
		if err := a.Server.Registry().Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) unheard() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_processes_unheard", Help: "Other processes on this database not heard over the bus.",
	}, func() float64 { return float64(len(a.Roster.Unheard())) })
}

func (a *App) stale() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_signing_keys_stale", Help: "1 while the signing keys of the database cannot be used, and tokens are judged by the former ones.",
	}, func() float64 { return asNumber(a.staleKeys.Load()) })
}

func asNumber(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func connected(bus far) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_bus_connected", Help: "1 while the bus between processes is connected, 0 while events of other processes arrive late.",
	}, func() float64 { return asNumber(bus.Connected()) })
}

// statements is the hook around every statement: the caller's, the tracer's, or
// both.
func (a *App) statements() store.Trace {
	hook := a.Config.Trace
	if a.Config.Tracer == nil {
		return hook
	}
	system := "sqlite"
	if address.IsPostgres(a.Config.Database) {
		system = "postgresql"
	}
	traced := store.Trace(trace.Statements(system))
	if hook == nil {
		return traced
	}
	return func(ctx context.Context, statement string) func(error) {
		one, other := hook(ctx, statement), traced(ctx, statement)
		return func(err error) {
			for _, done := range []func(error){one, other} {
				if done != nil {
					done(err)
				}
			}
		}
	}
}
