package directory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"log/slog"
	"maps"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/credential"
	"parley/internal/ground/clock"
	"parley/internal/ground/vault"
)

// Account is a provider account with its credentials. It never reaches the graph.
type Account struct {
	channel.Account
	Provider string
	Active   bool

	// Problem is why the credentials cannot be used; nil when they can.
	Problem error
	// KeyID names the key that they are encrypted with; empty for plain text.
	KeyID string
	// Fingerprint tells credentials apart without showing anything of them; empty
	// when they cannot be read.
	Fingerprint string

	previous            channel.Credentials
	previousFingerprint string
	previousUntil       clock.Time
}

// CanSend reports whether the account is active and its credentials can be used.
func (a *Account) CanSend() bool { return a.Active && a.Credentials != nil }

// Previous are the fingerprint of the credentials before, and until when webhooks that
// they sign are taken; empty when that has ended.
func (a *Account) Previous(now clock.Time) (fingerprint string, until clock.Time) {
	if a.previous == nil || now >= a.previousUntil {
		return "", 0
	}
	return a.previousFingerprint, a.previousUntil
}

// Verifying yields the account with each of the credentials that may have signed a
// webhook, newest first.
func (a *Account) Verifying(now clock.Time) iter.Seq[channel.Account] {
	return func(yield func(channel.Account) bool) {
		if !yield(a.Account) {
			return
		}
		if _, until := a.Previous(now); until > 0 {
			before := a.Account
			before.Credentials = a.previous
			yield(before)
		}
	}
}

// Account returns the provider account with the webhook key, nil when there is none.
func (d *Directory) Account(key string) *Account { return d.now.Load().accounts[key] }

// Accounts are all provider accounts, in no order.
func (d *Directory) Accounts() iter.Seq[*Account] { return maps.Values(d.now.Load().accounts) }

// account reads an account. Without credentials nothing is sent from it, and webhooks
// are answered 503.
func (d *Directory) account(row *ent.ProviderAccount) *Account {
	a := &Account{
		Account:  channel.Account{ID: row.ID, Key: row.Key, BaseURL: row.BaseURL},
		Provider: row.Provider, Active: row.Active, KeyID: vault.KeyID(row.Sealed),
	}
	provider := d.providers.Named(row.Provider)
	if provider == nil { // a newer version's, or an import's
		return a
	}
	if a.Problem = d.read(a, row, provider); a.Problem != nil {
		slog.Error("cannot use a provider account; run parley doctor", "provider", a.Provider, "account", a.Key, "error", a.Problem)
	}
	return a
}

func (d *Directory) read(a *Account, row *ent.ProviderAccount, provider channel.Provider) error {
	set, err := credential.Unseal(d.vault, row)
	if err != nil {
		return err
	}
	current, err := provider.ParseCredentials(set.Current)
	if err != nil {
		return err
	}
	a.Credentials, a.Fingerprint = current, d.fingerprint(provider, set.Current)
	if len(set.Previous) == 0 {
		return nil
	}
	a.previous, err = provider.ParseCredentials(set.Previous)
	a.previousFingerprint, a.previousUntil = d.fingerprint(provider, set.Previous), set.PreviousUntil
	return err
}

func (d *Directory) fingerprint(provider channel.Provider, document []byte) string {
	return d.Fingerprint(provider.Name(), document)
}

// Fingerprint is eight hexadecimal digits that equal documents of a kind share. Without the
// key nobody can try secrets against it.
func (d *Directory) Fingerprint(kind string, document []byte) string {
	var fields map[string]any
	if json.Unmarshal(document, &fields) == nil {
		document, _ = json.Marshal(fields) // one order and one spelling
	}
	mac := hmac.New(sha256.New, d.marks)
	_, _ = mac.Write(append([]byte(kind+"\x00"), document...))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

// CheckKey refuses a vault whose key is another database's.
func (d *Directory) CheckKey() error {
	var needed []string
	for a := range d.Accounts() {
		if a.KeyID != "" {
			needed = append(needed, a.KeyID)
		}
	}
	for _, a := range d.CrmActions() {
		if id := vault.KeyID(a.Sealed); id != "" {
			needed = append(needed, id)
		}
	}
	return d.vault.Fits(needed)
}
