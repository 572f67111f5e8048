// Package account is the administration of provider accounts: what proves us to carriers,
// and through which everything is sent and received. Administrators use it, and operators
// on the command line, who also manage the key that credentials are encrypted with.
//
// Credentials go in and never come out: an account shows a fingerprint of them. Package
// administration says how every change is made.
package account

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/credential"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields are required but Tests.
type Service struct {
	Store     *store.Store
	Directory *directory.Directory
	IDs       *publicid.Codec
	Vault     *vault.Vault
	Providers channel.Providers
	Messenger *message.Messenger // counts what is unsent
	PublicURL func() string
	// Loopback lets accounts call this machine and private networks, also unencrypted;
	// for development.
	Loopback bool
	// Others is what else the key encrypts.
	Others []Sealed
	Tests  *quota.Quota // how often an administrator may test; nil for any
}

// Account is a provider account as administrators see it.
type Account struct {
	Key       int64
	AccountID string // the last element of its webhook URL
	Provider  string
	Name      string
	BaseURL   string
	IsActive  bool
	// IsEncrypted reports whether its credentials are encrypted in the database.
	IsEncrypted    bool
	UnsentMessages int64
	CreatedAt      clock.Time

	lastUsed, lastErrorAt clock.Time
	lastError             string
	used                  *directory.Account // as this process uses it
	service               *Service
}

// IsNode marks a GraphQL Node.
func (*Account) IsNode() {}

// ID is the opaque id.
func (a *Account) ID() string { return a.service.IDs.Encode(publicid.Account, a.Key) }

// WebhookURL is what to enter at the carrier.
func (a *Account) WebhookURL() string {
	return a.service.PublicURL() + "/webhooks/" + url.PathEscape(a.Provider) + "/" + url.PathEscape(a.AccountID)
}

// Fingerprint tells credentials apart; nil when they cannot be read.
func (a *Account) Fingerprint() *string { return table.Optional(a.used.Fingerprint) }

// Previous are the credentials before, while webhooks that they sign are still taken;
// nil when they are not.
func (a *Account) Previous() *PreviousCredentials {
	fingerprint, until := a.used.Previous(a.service.Store.Clock.Now())
	if until == 0 {
		return nil
	}
	return &PreviousCredentials{fingerprint, until}
}

// PreviousCredentials are those that were replaced a while ago.
type PreviousCredentials struct {
	Fingerprint string
	ValidUntil  clock.Time
}

// Problem is why the account cannot be used and what to do about it; nil when it can.
func (a *Account) Problem() *string {
	problem := ""
	switch {
	case a.service.Providers.Named(a.Provider) == nil:
		problem = "This version does not know the provider. Update Parley, or deactivate the account."
	case errors.Is(a.used.Problem, vault.ErrLocked):
		problem = "The key that its credentials are encrypted with is missing. Ask an operator to run parley key list, or set the credentials again."
	case a.used.Problem != nil:
		problem = "Its stored credentials cannot be read. Set them again."
	case a.used.Credentials != nil && a.used.Credentials.Missing() != "":
		problem = "It has no " + a.used.Credentials.Missing() + ". Set its credentials."
	}
	return table.Optional(problem)
}

// LastUsedAt is when a message was last given to the carrier, within a minute or so; nil
// for never.
func (a *Account) LastUsedAt() *clock.Time { return table.Optional(a.lastUsed) }

// LastError is the last failure of the account as a whole; nil for none.
func (a *Account) LastError() *Failure {
	if a.lastErrorAt == 0 {
		return nil
	}
	return &Failure{a.lastError, a.lastErrorAt}
}

// Failure is what a carrier said when it did not take a message.
type Failure struct {
	Message string
	At      clock.Time
}

// Provider is a carrier, with what it asks of an account.
type Provider struct {
	Name             string
	CredentialFields []channel.CredentialField
}

// Known are the carriers that accounts can be created for, by name; none for a viewer who
// is no administrator.
func (s *Service) Known(ctx context.Context) []*Provider {
	known := []*Provider{}
	if !rule.Administers(viewer.FromContext(ctx)) {
		return known
	}
	for _, p := range s.Providers {
		known = append(known, &Provider{p.Name(), p.CredentialFields()})
	}
	slices.SortFunc(known, func(a, b *Provider) int { return strings.Compare(a.Name, b.Name) })
	return known
}

// Accounts are all provider accounts, by name; none for a viewer who is no administrator.
func (s *Service) Accounts(ctx context.Context) ([]*Account, error) {
	return s.accounts(ctx, s.Store.Ent.ProviderAccount.Query())
}

// ByKey reads accounts by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Account, error) {
	accounts, err := s.accounts(ctx, s.Store.Ent.ProviderAccount.Query().Where(provideraccount.IDIn(keys...)))
	found := make(map[int64]*Account, len(accounts))
	for _, a := range accounts {
		found[a.Key] = a
	}
	return found, err
}

// ByID reads an account: NOT_FOUND where there is none, and for a viewer who is no
// administrator.
func (s *Service) ByID(ctx context.Context, id string) (*Account, error) {
	key, _ := s.IDs.Decode(publicid.Account, id)
	return s.byKey(ctx, key)
}

func (s *Service) byKey(ctx context.Context, key int64) (*Account, error) {
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		err = fault.Missing("provider account")
	}
	return found[key], err
}

func (s *Service) accounts(ctx context.Context, query *ent.ProviderAccountQuery) ([]*Account, error) {
	rows, err := query.Where(provideraccount.ProviderNEQ(channel.NoCarrier)).Order(provideraccount.ByName(), provideraccount.ByID()).All(ctx)
	if err != nil || len(rows) == 0 {
		return []*Account{}, err
	}
	unsent, err := s.Messenger.Unsent(ctx)
	if err != nil {
		return nil, err
	}
	accounts := make([]*Account, len(rows))
	for i, row := range rows {
		used, err := s.used(ctx, row.Key)
		if err != nil {
			return nil, err
		}
		accounts[i] = &Account{
			Key: row.ID, AccountID: row.Key, Provider: row.Provider, Name: row.Name, BaseURL: row.BaseURL, IsActive: row.Active,
			IsEncrypted: !credential.IsPlain(row), UnsentMessages: unsent[row.ID], CreatedAt: row.CreatedAt,
			lastUsed: row.LastUsedAt, lastError: row.LastError, lastErrorAt: row.LastErrorAt, used: used, service: s,
		}
	}
	return accounts, nil
}

// used is an account as this process uses it.
func (s *Service) used(ctx context.Context, accountKey string) (*directory.Account, error) {
	return administration.Find(ctx, s.Directory, "provider account", func() *directory.Account { return s.Directory.Account(accountKey) })
}
