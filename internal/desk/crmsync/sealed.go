package crmsync

import (
	"context"

	"parley/ent"
	"parley/ent/crmconnection"
	"parley/internal/desk/credential"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
)

// sealed are the connections that have credentials.
func sealed(ctx context.Context, client *ent.Client) ([]*ent.CrmConnection, error) {
	return client.CrmConnection.Query().Where(crmconnection.SealedNotNil()).Order(crmconnection.ByID()).All(ctx)
}

// KeyIDs names the keys that credentials are encrypted with.
func (*Service) KeyIDs(ctx context.Context, client *ent.Client) ([]string, error) {
	rows, err := sealed(ctx, client)
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = vault.KeyID(row.Sealed)
	}
	return ids, err
}

// Reseal encrypts with the primary key the credentials that are encrypted with another.
// Those that no key can decrypt stay as they are.
func (s *Service) Reseal(ctx context.Context, tx *store.Tx) (n int, err error) {
	rows, err := sealed(ctx, tx.Ent)
	for _, row := range rows {
		set, locked := credential.UnsealAt(s.Vault, row.Sealed, place(row.Key))
		if locked != nil || s.Vault.IsPrimary(vault.KeyID(row.Sealed)) {
			continue
		}
		again, err := set.SealAt(s.Vault, place(row.Key))
		if err != nil {
			return 0, err
		}
		if err := tx.Ent.CrmConnection.UpdateOne(row).SetSealed(again).Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, err
}

// GiveUp removes the credentials that no key can decrypt: their connections need new ones.
func (s *Service) GiveUp(ctx context.Context, tx *store.Tx) (n int, err error) {
	rows, err := sealed(ctx, tx.Ent)
	for _, row := range rows {
		if s.Vault.Has(vault.KeyID(row.Sealed)) {
			continue
		}
		if err := tx.Ent.CrmConnection.UpdateOne(row).ClearSealed().Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, err
}
