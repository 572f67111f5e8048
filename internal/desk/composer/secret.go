package composer

import (
	"context"

	"parley/ent"
	entcomponent "parley/ent/component"
	"parley/internal/desk/administration"
	"parley/internal/desk/component"
	"parley/internal/desk/journal"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// sealedAt binds what is sealed to its table, column and row.
func sealedAt(developerName string) string { return "components/sealed/" + developerName }

// secretOf reads what calls of the component's provider are signed with.
func (p *preparing) secretOf(ctx context.Context) ([]byte, error) {
	row, err := p.Store.Ent.Component.Get(viewer.AsSystem(ctx, "components"), p.of.Key)
	if err != nil {
		return nil, err
	}
	return row.Sealed, nil
}

// RenewSecret gives a time selector a secret, or another one, which is never shown again. The
// one before signs beside it for a day.
func (s *Service) RenewSecret(ctx context.Context, id string) (c *Component, secret *string, err error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, nil, err
	}
	key, _ := s.IDs.Decode(publicid.Component, id)
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := held(ctx, tx, key)
		if err != nil {
			return err
		}
		if component.Kind(row.Kind) != component.TimeSelector {
			return fault.At("input.id", fault.New(fault.Conflict, "Only a time selector has a provider, and so a secret."))
		}
		was, _ := webhook.Unseal(s.Vault, row.Sealed, sealedAt(row.DeveloperName)) // a lost one is replaced
		next := was.Renewed(tx.Now)
		sealed, err := next.Seal(s.Vault, sealedAt(row.DeveloperName))
		if err != nil {
			return err
		}
		secret = &next.Current
		return tx.Ent.Component.UpdateOne(row).SetSealed(sealed).SetUpdatedAt(tx.Now).Exec(journal.Within(ctx, tx))
	})
	if err != nil {
		return nil, nil, err
	}
	c, err = s.Get(ctx, id)
	return c, secret, err
}

// sealed are the components that have secrets.
func sealed(ctx context.Context, client *ent.Client) ([]*ent.Component, error) {
	return client.Component.Query().Where(entcomponent.SealedNotNil()).Order(entcomponent.ByID()).All(ctx)
}

// KeyIDs names the keys that secrets are encrypted with.
func (*Service) KeyIDs(ctx context.Context, client *ent.Client) ([]string, error) {
	rows, err := sealed(ctx, client)
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = vault.KeyID(row.Sealed)
	}
	return ids, err
}

// Reseal encrypts with the primary key the secrets that are encrypted with another. Those
// that no key can decrypt stay as they are.
func (s *Service) Reseal(ctx context.Context, tx *store.Tx) (n int, err error) {
	rows, err := sealed(ctx, tx.Ent)
	for _, row := range rows {
		x, locked := webhook.Unseal(s.Vault, row.Sealed, sealedAt(row.DeveloperName))
		if locked != nil || s.Vault.IsPrimary(vault.KeyID(row.Sealed)) {
			continue
		}
		again, err := x.Seal(s.Vault, sealedAt(row.DeveloperName))
		if err != nil {
			return 0, err
		}
		if err := tx.Ent.Component.UpdateOne(row).SetSealed(again).Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, err
}

// GiveUp removes the secrets that no key can decrypt: their components need new ones.
func (s *Service) GiveUp(ctx context.Context, tx *store.Tx) (n int, err error) {
	rows, err := sealed(ctx, tx.Ent)
	for _, row := range rows {
		if s.Vault.Has(vault.KeyID(row.Sealed)) {
			continue
		}
		if err := tx.Ent.Component.UpdateOne(row).ClearSealed().Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, err
}
