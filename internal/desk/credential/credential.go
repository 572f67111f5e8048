// Package credential reads and writes what the database holds of the credentials of
// provider accounts: encrypted, or in plain text where an earlier version wrote them.
//
// While credentials are being replaced, an account has two: webhooks are verified by
// either, and calls are made with the newest.
package credential

import (
	"encoding/json"
	"errors"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/vault"
)

// Sealed is what the column credentials holds when nothing is stored in plain text. It
// is no JSON, so that whoever reads that column alone finds it unreadable and answers
// webhooks with 503, which carriers repeat, instead of 403.
const Sealed = "sealed"

// ErrLost is the error of an account whose credentials an operator gave up.
var ErrLost = errors.New("its credentials were given up with the key that they were encrypted with")

// Set is what is stored of an account's credentials.
type Set struct {
	Current       json.RawMessage `json:"current"`
	Previous      json.RawMessage `json:"previous,omitempty"`
	PreviousUntil clock.Time      `json:"previousUntil,omitempty"` // when Previous ends
}

// Unseal reads an account's credentials; its errors quote nothing of them.
func Unseal(v *vault.Vault, account *ent.ProviderAccount) (s Set, err error) {
	if len(account.Sealed) == 0 {
		if account.Credentials == Sealed {
			return Set{}, ErrLost
		}
		return Set{Current: Stored(account).JSON()}, nil
	}
	return UnsealAt(v, account.Sealed, place(account.Key))
}

// UnsealAt reads credentials that SealAt encrypted for a place.
func UnsealAt(v *vault.Vault, sealed []byte, place string) (s Set, err error) {
	if len(sealed) == 0 {
		return Set{}, ErrLost
	}
	text, err := v.Unseal(sealed, place)
	if err != nil {
		return Set{}, err
	}
	if json.Unmarshal(text, &s) != nil {
		return Set{}, channel.ErrCredentials
	}
	return s, nil
}

// Stored is what an account holds in plain text.
func Stored(account *ent.ProviderAccount) channel.Stored {
	return channel.Stored{Document: channel.Secret(account.Credentials), SID: account.Sid, Secret: channel.Secret(account.Secret)}
}

// IsPlain reports whether an account's credentials are stored in plain text.
func IsPlain(account *ent.ProviderAccount) bool {
	return len(account.Sealed) == 0 && account.Credentials != Sealed && account.Provider != channel.NoCarrier
}

// Seal encrypts the credentials of the account with the webhook key. Call it inside the
// write that stores them.
func (s Set) Seal(v *vault.Vault, accountKey string) ([]byte, error) {
	return s.SealAt(v, place(accountKey))
}

// SealAt is Seal for what is no account: place names its table, column and row.
func (s Set) SealAt(v *vault.Vault, place string) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return v.Seal(text, place)
}

// place binds what is sealed to its table, column and row. A webhook key is unique and
// never changes.
func place(accountKey string) string { return "provider_accounts/sealed/" + accountKey }
