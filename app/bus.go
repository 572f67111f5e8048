package app

import (
	"cmp"
	"context"

	"parley/internal/desk/feed"
	"parley/internal/desk/feed/natsbus"
	"parley/internal/desk/feed/pgbus"
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
