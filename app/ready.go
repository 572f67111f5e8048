package app

import (
	"context"
	"errors"

	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// ready says why this process cannot serve, in words for everybody: paths and the
// database's own words are in the log.
func (a *App) ready(ctx context.Context) error {
	err := a.Store.Ready(ctx)
	switch {
	case errors.Is(err, store.ErrMoved):
		return fault.New(fault.Unavailable, "The database file was moved, removed or replaced. Parley refuses writes until it is back.")
	case errors.Is(err, store.ErrRefused):
		return fault.New(fault.Unavailable, "The database refuses writes: its disk may be full, or it is read-only.")
	}
	return err
}
