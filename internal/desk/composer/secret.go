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
		ctx = journal.Within(ctx, tx)
		kept := secretIn(ctx, tx.Ent, row)
		kept.Save = func(sealed []byte) error {
			return tx.Ent.Component.UpdateOne(row).SetSealed(sealed).SetUpdatedAt(tx.Now).Exec(ctx)
		}
		next, err := kept.Renew(s.Vault, tx.Now)
		secret = &next
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	c, err = s.Get(ctx, id)
	return c, secret, err
}

// secretIn is the secret of a row.
func secretIn(ctx context.Context, client *ent.Client, row *ent.Component) webhook.Row {
	return webhook.Row{Place: sealedAt(row.DeveloperName), Sealed: row.Sealed, Save: func(sealed []byte) error {
		update := client.Component.UpdateOne(row).SetSealed(sealed)
		if sealed == nil {
			update.ClearSealed()
		}
		return update.Exec(ctx)
	}}
}

// sealed are the secrets of all components.
func sealed(ctx context.Context, client *ent.Client) (secrets webhook.Rows, err error) {
	rows, err := client.Component.Query().Where(entcomponent.SealedNotNil()).Order(entcomponent.ByID()).All(ctx)
	for _, row := range rows {
		secrets = append(secrets, secretIn(ctx, client, row))
	}
	return secrets, err
}

// KeyIDs names the keys that secrets are encrypted with.
func (*Service) KeyIDs(ctx context.Context, client *ent.Client) ([]string, error) {
	secrets, err := sealed(ctx, client)
	return secrets.KeyIDs(), err
}

// Reseal encrypts with the primary key the secrets that are encrypted with another. Those
// that no key can decrypt stay as they are.
func (s *Service) Reseal(ctx context.Context, tx *store.Tx) (int, error) {
	secrets, err := sealed(ctx, tx.Ent)
	if err != nil {
		return 0, err
	}
	return secrets.Reseal(s.Vault)
}

// GiveUp removes the secrets that no key can decrypt: their components need new ones.
func (s *Service) GiveUp(ctx context.Context, tx *store.Tx) (int, error) {
	secrets, err := sealed(ctx, tx.Ent)
	if err != nil {
		return 0, err
	}
	return secrets.GiveUp(s.Vault)
}
