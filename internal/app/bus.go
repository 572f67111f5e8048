package app

import (
	"cmp"
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/feed"
	"parley/internal/feed/natsbus"
	"parley/internal/feed/pgbus"
)

// bus is what carries hints and signals between the processes on a database.
type bus interface {
	feed.Bus
	feed.Signals
}

// far is a bus that reaches other processes.
type far interface {
	bus
	Connected() bool
	Close()
}

// openBus connects the processes on this database: over NATS when the settings
// name it, else through PostgreSQL itself. On SQLite one process is the rule.
func (a *App) openBus(ctx context.Context) (bus, error) {
	switch {
	case a.Config.NATS != "":
	case a.Store.Pool() != nil:
		return pgbus.Open(a.Store.Pool()), nil
	default:
		return feed.NewLocal(), nil
	}
	key, err := a.Store.Secret(ctx, "bus")
	if err != nil {
		return nil, err
	}
	bus, err := natsbus.Open(natsbus.Options{URL: a.Config.NATS, Epoch: a.Store.Epoch, Key: key})
	if err != nil {
		return nil, err // never a *natsbus.Bus that is nil
	}
	return bus, nil
}

// busName is what other processes are told of this one's bus.
func (a *App) busName() string {
	switch bus := a.bus.(type) {
	case *natsbus.Bus:
		return cmp.Or(bus.Server(), "NATS, not connected")
	case *pgbus.Bus:
		return "PostgreSQL"
	}
	return ""
}

// registerMetrics adds what the parts count to what the edge counts.
func (a *App) registerMetrics() error {
	registry := a.Server.Registry()
	if err := registry.Register(a.Receiver.Entries); err != nil {
		return err
	}
	err := registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_processes_unheard", Help: "Other processes on this database that are not heard over the bus.",
	}, func() float64 { return float64(len(a.Roster.Unheard())) }))
	bus, ok := a.bus.(far)
	if err != nil || !ok {
		return err
	}
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_bus_connected", Help: "1 while the bus between processes is reached, 0 while events of other processes come late.",
	}, func() float64 {
		if bus.Connected() {
			return 1
		}
		return 0
	}))
}
