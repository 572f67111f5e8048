package app

import (
	"context"
	"log/slog"

	"parley/internal/edge/server"
	"parley/internal/ground/store/address"
	"parley/internal/ground/vault"
)

// What an agent may do in an hour that no flag sets.
const (
	testsAnHour     = 60 // tests of provider accounts
	settingsAnHour  = 120
	customersAnHour = 1_200
)

// KeyOptions say where the key is: by default beside a SQLite file, so that it is in none
// of its backups. For PostgreSQL it must be said.
func KeyOptions(c Config) vault.Options {
	o := vault.Options{Key: c.Key, File: c.KeyFile, Make: c.Mode == server.Development}
	if o.Key == "" && o.File == "" && !address.IsPostgres(c.Database) {
		o.File = c.Database + ".key"
	}
	return o
}

// watchKeys reads the accounts again when the key file has changed: some may be readable
// only now.
func (a *App) watchKeys(ctx context.Context) {
	a.vault.Watch(ctx, func(ctx context.Context) {
		if err := a.Directory.Refresh(ctx); err != nil {
			slog.ErrorContext(ctx, "cannot read the provider accounts with the changed keys", "error", err)
		}
	})
}
