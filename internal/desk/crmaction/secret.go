package crmaction

import (
	"context"

	"parley/ent"
	"parley/ent/crmaction"
	"parley/internal/desk/action"
	"parley/internal/desk/administration"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
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
		next, err := secretIn(ctx, tx.Ent, row).Renew(s.Vault, tx.Now)
		secret = &next
		return true, err
	})
	if err != nil {
		return nil, nil, err
	}
	return a, secret, nil
}

// secretIn is the secret of a row.
func secretIn(ctx context.Context, client *ent.Client, row *ent.CrmAction) webhook.Row {
	return webhook.Row{Place: place(row.DeveloperName), Sealed: row.Sealed, Save: func(sealed []byte) error {
		update := client.CrmAction.UpdateOne(row).SetSealed(sealed)
		if sealed == nil {
			update.ClearSealed()
		}
		return update.Exec(ctx)
	}}
}

// sealed are the secrets of all actions.
func sealed(ctx context.Context, client *ent.Client) (secrets webhook.Rows, err error) {
	rows, err := client.CrmAction.Query().Where(crmaction.SealedNotNil()).Order(crmaction.ByID()).All(ctx)
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

// GiveUp removes the secrets that no key can decrypt: their actions need new ones.
func (s *Service) GiveUp(ctx context.Context, tx *store.Tx) (int, error) {
	secrets, err := sealed(ctx, tx.Ent)
	if err != nil {
		return 0, err
	}
	return secrets.GiveUp(s.Vault)
}
