package app

import (
	"context"
	"log/slog"

	"parley/internal/edge/server"
	"parley/internal/ground/store/address"
	"parley/internal/ground/vault"
)

// testsAnHour is how often an administrator may have a provider account tested.
const testsAnHour = 60

// KeyFile is where the key is by default: beside a SQLite file, so that it is in none of
// its backups. For PostgreSQL it must be said.
func KeyFile(database string) string {
	if address.IsPostgres(database) {
		return ""
	}
	return database + ".key"
}

func (a *App) openVault() (*vault.Vault, error) {
	o := vault.Options{Key: a.Config.Key, File: a.Config.KeyFile, Make: a.Config.Mode == server.Development}
	if o.Key == "" && o.File == "" {
		o.File = KeyFile(a.Config.Database)
	}
	return vault.Open(o)
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
