package crmaction

import (
	"context"

	"parley/ent"
	"parley/ent/crmaction"
	"parley/internal/desk/action"
	"parley/internal/desk/administration"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/webhook"
)

// place binds what is sealed to its table, column and row.
func place(developerName string) string { return "crm_actions/sealed/" + developerName }

// RenewSecret gives an action that calls a webhook another secret. The one before signs
// beside it for a day.
func (s *Service) RenewSecret(ctx context.Context, id string) (a *CrmAction, secret *string, err error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, nil, err
	}
	a, err = s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.CrmAction) (bool, error) {
		if action.Kind(row.Performs) != action.CallWebhook {
			return false, fault.At("input.id", fault.New(fault.Conflict, "Only an action that calls a webhook has a secret."))
		}
		was, _ := webhook.Unseal(s.Vault, row.Sealed, place(row.DeveloperName)) // a lost one is replaced
		next := was.Renewed(tx.Now)
		sealed, err := next.Seal(s.Vault, place(row.DeveloperName))
		if err != nil {
			return false, err
		}
		secret = &next.Current
		return true, tx.Ent.CrmAction.UpdateOne(row).SetSealed(sealed).Exec(ctx)
	})
	if err != nil {
		return nil, nil, err
	}
	return a, secret, nil
}

// sealed are the actions that have secrets.
func sealed(ctx context.Context, client *ent.Client) ([]*ent.CrmAction, error) {
	return client.CrmAction.Query().Where(crmaction.SealedNotNil()).Order(crmaction.ByID()).All(ctx)
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
	if err != nil {
		return 0, err
	}
	primary := ""
	for _, k := range s.Vault.Keys() {
		if k.Primary {
			primary = k.ID
		}
	}
	for _, row := range rows {
		if vault.KeyID(row.Sealed) == primary {
			continue
		}
		x, err := webhook.Unseal(s.Vault, row.Sealed, place(row.DeveloperName))
		if err != nil {
			continue // locked, as before
		}
		again, err := x.Seal(s.Vault, place(row.DeveloperName))
		if err != nil {
			return 0, err
		}
		if err := tx.Ent.CrmAction.UpdateOne(row).SetSealed(again).Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// GiveUp removes the secrets that no key can decrypt: their actions need new ones.
func (s *Service) GiveUp(ctx context.Context, tx *store.Tx) (n int, err error) {
	rows, err := sealed(ctx, tx.Ent)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if s.Vault.Has(vault.KeyID(row.Sealed)) {
			continue
		}
		if err := tx.Ent.CrmAction.UpdateOne(row).ClearSealed().Exec(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
