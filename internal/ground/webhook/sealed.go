package webhook

import (
	"parley/internal/ground/clock"
	"parley/internal/ground/vault"
)

// Row is a row that keeps sealed secrets.
type Row struct {
	Place  string // binds what is sealed to its table, column and row
	Sealed []byte
	Save   func(sealed []byte) error // nil clears
}

// Renew gives the row another secret, which it returns. The one before signs beside it for a
// day; one that is lost is replaced.
func (r Row) Renew(v *vault.Vault, now clock.Time) (secret string, err error) {
	was, _ := Unseal(v, r.Sealed, r.Place)
	next := was.Renewed(now)
	return next.Current, r.save(v, next)
}

func (r Row) save(v *vault.Vault, x Secrets) error {
	sealed, err := x.Seal(v, r.Place)
	if err != nil {
		return err
	}
	return r.Save(sealed)
}

// Rows are all that keep secrets of a kind.
type Rows []Row

// KeyIDs names the keys that the secrets are encrypted with.
func (rows Rows) KeyIDs() []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = vault.KeyID(r.Sealed)
	}
	return ids
}

// Reseal encrypts with the primary key the secrets that are encrypted with another, and
// counts them. Those that no key can decrypt stay as they are.
func (rows Rows) Reseal(v *vault.Vault) (n int, err error) {
	for _, r := range rows {
		if v.IsPrimary(vault.KeyID(r.Sealed)) {
			continue
		}
		x, locked := Unseal(v, r.Sealed, r.Place)
		if locked != nil {
			continue
		}
		if err := r.save(v, x); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// GiveUp clears the secrets that no key can decrypt, and counts them: new ones are needed.
func (rows Rows) GiveUp(v *vault.Vault) (n int, err error) {
	for _, r := range rows {
		if v.Has(vault.KeyID(r.Sealed)) {
			continue
		}
		if err := r.Save(nil); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
