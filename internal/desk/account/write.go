package account

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/credential"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CreateInput is a new account.
type CreateInput struct {
	Provider       string
	Name           string
	AccountID      *string // nil for one that is drawn
	Credentials    []CredentialInput
	BaseURL        *string // nil for the provider's own
	IdempotencyKey string
}

// CredentialInput is one part of an account's credentials. The hash of an input, which is
// stored with an idempotency key, leaves the value out: it could be guessed by the hash.
type CredentialInput struct {
	Name  string
	Value string `json:"-"`
}

// UpdateInput is what changes of an account; a nil field stays as it is.
type UpdateInput struct {
	ID      string
	Name    *string
	BaseURL *string // empty for the provider's own
}

// CredentialsInput are an account's new credentials.
type CredentialsInput struct {
	ID          string
	Credentials []CredentialInput
	// PreviousValidHours is how long webhooks signed by those before are taken; nil for
	// defaultOverlap.
	PreviousValidHours *int
}

// UnsentChoice says what becomes of messages that an account has not sent when it is
// deactivated.
type UnsentChoice string

// The choices. There is none that keeps messages: one that goes out days later surprises
// its customer, and neither consent nor care window may allow it any more.
const (
	Refuse UnsentChoice = "REFUSE" // the account stays active
	Fail   UnsentChoice = "FAIL"   // they fail with 0005, and can be retried
)

// Create makes an active account, once for an idempotency key.
func (s *Service) Create(ctx context.Context, in CreateInput) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	set, name, err := s.checkNew(ctx, &in)
	if err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createProviderAccount", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		accountID, err := free(ctx, tx, name, in.AccountID)
		if err != nil {
			return 0, err
		}
		sealed, err := set.Seal(s.Vault, accountID)
		if err != nil {
			return 0, err
		}
		row, err := tx.Ent.ProviderAccount.Create().SetKey(accountID).SetProvider(in.Provider).SetName(name).SetNillableBaseURL(in.BaseURL).
			SetCredentials(credential.Sealed).SetSealed(sealed).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.byKey(ctx, key)
}

// Check refuses what can become no account, and writes nothing.
func (s *Service) Check(ctx context.Context, in CreateInput) error {
	_, _, err := s.checkNew(ctx, &in)
	return err
}

// checkNew returns the credentials and the name as they are stored.
func (s *Service) checkNew(ctx context.Context, in *CreateInput) (set credential.Set, name string, err error) {
	provider, err := s.provider(ctx, in.Provider)
	if err != nil {
		return set, "", err
	}
	if set.Current, err = document(provider, in.Credentials); err != nil {
		return set, "", err
	}
	if in.AccountID != nil {
		if err := CheckAccountID("input.accountId", *in.AccountID); err != nil {
			return set, "", err
		}
	}
	if err := s.checkBaseURL(ctx, in.BaseURL); err != nil {
		return set, "", err
	}
	name, err = administration.CleanName("input.name", in.Name)
	return set, name, err
}

// free returns the webhook key of a new account, if there is room for it.
func free(ctx context.Context, tx *store.Tx, name string, wanted *string) (accountID string, err error) {
	rows, err := tx.Ent.ProviderAccount.Query().Select(provideraccount.FieldKey, provideraccount.FieldName).All(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
		if wanted != nil && row.Key == *wanted {
			return "", fault.Input("input.accountId", "Another account has this. Choose another, or leave it out.")
		}
	}
	if wanted == nil {
		drawn := strings.ToLower(rand.Text())
		wanted = &drawn
	}
	return *wanted, cmp.Or(administration.Room(len(rows), mostAccounts, "provider accounts"), administration.Unused("input.name", name, names))
}

// Update changes an account. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := administration.CleanNameIn("input.name", &in.Name); err != nil {
		return nil, err
	}
	if err := s.checkBaseURL(ctx, in.BaseURL); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount) (bool, error) {
		if administration.Differs(in.Name, row.Name) {
			others, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.IDNEQ(row.ID)).Select(provideraccount.FieldName).Strings(ctx)
			if err != nil {
				return false, err
			}
			if err := administration.Unused("input.name", *in.Name, others); err != nil {
				return false, err
			}
		} else if !administration.Differs(in.BaseURL, row.BaseURL) {
			return false, nil
		}
		// The credentials go where the base URL says, and nobody is to read them there.
		if administration.Differs(in.BaseURL, row.BaseURL) && viewer.FromContext(ctx).System == "" {
			return false, fault.New(fault.Forbidden, "Only an operator changes an account's base URL, because its credentials go there: parley account set %s --base-url URL. Or create another account.", row.Key)
		}
		return true, tx.Ent.ProviderAccount.UpdateOne(row).SetNillableName(in.Name).SetNillableBaseURL(in.BaseURL).Exec(ctx)
	})
}

// SetCredentials replaces an account's credentials. Calls use the new ones at once;
// webhooks signed by the old ones are taken for a while. Nothing happens when they are
// the present ones.
func (s *Service) SetCredentials(ctx context.Context, in CredentialsInput) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	overlap := defaultOverlap
	if in.PreviousValidHours != nil {
		overlap = *in.PreviousValidHours
	}
	if overlap < 0 || overlap > mostOverlap {
		return nil, fault.Input("input.previousValidHours", "Give 0 to %d hours.", mostOverlap)
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount) (bool, error) {
		provider, err := s.provider(ctx, row.Provider)
		if err != nil {
			return false, err
		}
		fresh, err := document(provider, in.Credentials)
		if err != nil {
			return false, err
		}
		set, err := credential.Unseal(s.Vault, row)
		readable := err == nil // a lost key must not keep anybody from giving new credentials
		if readable && !credential.IsPlain(row) && same(set.Current, fresh) {
			return false, nil
		}
		next := credential.Set{Current: fresh}
		if readable && overlap > 0 {
			next.Previous, next.PreviousUntil = set.Current, tx.Now.Add(time.Duration(overlap)*time.Hour)
		}
		return true, s.store(ctx, tx, row, next)
	})
}

// RetirePrevious ends the time in which webhooks signed by the previous credentials are
// taken.
func (s *Service) RetirePrevious(ctx context.Context, id string) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount) (bool, error) {
		set, err := credential.Unseal(s.Vault, row)
		if err != nil {
			return false, unreadable()
		}
		if len(set.Previous) == 0 {
			return false, nil
		}
		return true, s.store(ctx, tx, row, credential.Set{Current: set.Current})
	})
}

func unreadable() error {
	return fault.New(fault.Conflict, "The account's stored credentials cannot be read. Set its credentials instead.")
}

// store writes an account's credentials, and removes what was stored in plain text.
func (s *Service) store(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount, set credential.Set) error {
	sealed, err := set.Seal(s.Vault, row.Key)
	if err != nil {
		return err
	}
	return tx.Ent.ProviderAccount.UpdateOne(row).SetSealed(sealed).SetCredentials(credential.Sealed).SetSid("").SetSecret("").Exec(ctx)
}

// same reports whether two documents hold the same.
func same(a, b []byte) bool {
	var x, y map[string]string
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	one, _ := json.Marshal(x)
	other, _ := json.Marshal(y)
	return bytes.Equal(one, other)
}

// Deactivate makes an account inactive: nothing is sent from it, and its webhooks are
// answered 404.
func (s *Service) Deactivate(ctx context.Context, id string, choice UnsentChoice) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if choice != Refuse && choice != Fail {
		return nil, fault.Input("input.unsent", "Choose %s or %s.", Refuse, Fail)
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount) (bool, error) {
		if !row.Active {
			return false, nil
		}
		if choice == Refuse {
			unsent, err := s.Messenger.UnsentIn(ctx, tx)
			if err != nil {
				return false, err
			}
			if n := unsent[row.ID]; n > 0 {
				return false, fault.New(fault.Conflict, "Messages of this account that are not sent yet: %d. Wait until there are none, or choose %s: then they fail.", n, Fail)
			}
		}
		return true, tx.Ent.ProviderAccount.UpdateOne(row).SetActive(false).Exec(ctx)
	})
}

// Activate makes an account active again.
func (s *Service) Activate(ctx context.Context, id string) (*Account, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.ProviderAccount) (bool, error) {
		if row.Active {
			return false, nil
		}
		return true, tx.Ent.ProviderAccount.UpdateOne(row).SetActive(true).Exec(ctx)
	})
}

// change changes the account with an id.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.ProviderAccount) (changed bool, err error)) (*Account, error) {
	key, _ := s.IDs.Decode(publicid.Account, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.ID(key), provideraccount.ProviderNEQ(channel.NoCarrier)).Only(ctx)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("provider account"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.byKey(ctx, key)
}
