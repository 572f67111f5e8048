package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/desk/credential"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
)

// KeyUse is a key, and how many credentials need it: of accounts, actions and connections.
type KeyUse struct {
	ID        string // empty for credentials in plain text
	IsPrimary bool
	IsNew     bool // added after the primary one, and waits for RotateKey
	IsMissing bool // it is needed, and not in the keyset
	Values    int
}

// Keys are the keys of the keyset, oldest first, then those that are needed and missing,
// and plain text if there is any.
func (s *Service) Keys(ctx context.Context) ([]KeyUse, error) {
	rows, err := s.stored(viewer.AsSystem(ctx, "keys"), s.Store.Ent)
	if err != nil {
		return nil, err
	}
	used, order := map[string]int{}, []string{}
	count := func(id string) {
		if used[id]++; used[id] == 1 {
			order = append(order, id)
		}
	}
	for _, row := range rows {
		if id := vault.KeyID(row.Sealed); id != "" || credential.IsPlain(row) { // not given up
			count(id)
		}
	}
	others, err := s.others(viewer.AsSystem(ctx, "keys"), s.Store.Ent)
	if err != nil {
		return nil, err
	}
	for _, id := range others {
		count(id)
	}
	var keys []KeyUse
	isNew := false
	for _, k := range s.Vault.Keys() {
		keys = append(keys, KeyUse{ID: k.ID, IsPrimary: k.Primary, IsNew: isNew, Values: used[k.ID]})
		isNew = isNew || k.Primary
	}
	for _, id := range order {
		if !s.Vault.Has(id) {
			keys = append(keys, KeyUse{ID: id, IsMissing: id != "", Values: used[id]})
		}
	}
	return keys, nil
}

// stored are the accounts that have credentials.
func (*Service) stored(ctx context.Context, client *ent.Client) ([]*ent.ProviderAccount, error) {
	return client.ProviderAccount.Query().Where(provideraccount.ProviderNEQ(channel.NoCarrier)).Order(provideraccount.ByID()).All(ctx)
}

// Sealed is what else the key encrypts, beside the credentials of accounts.
type Sealed interface {
	// KeyIDs names the key of each value that is encrypted.
	KeyIDs(ctx context.Context, client *ent.Client) ([]string, error)
	// Reseal encrypts with the primary key what is encrypted with another that is there,
	// and returns how many values.
	Reseal(ctx context.Context, tx *store.Tx) (int, error)
	// GiveUp removes what no key can decrypt, and returns how many values.
	GiveUp(ctx context.Context, tx *store.Tx) (int, error)
}

// others names the keys of what else is encrypted.
func (s *Service) others(ctx context.Context, client *ent.Client) (ids []string, err error) {
	for _, o := range s.Others {
		some, err := o.KeyIDs(ctx, client)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

// CreateKey makes the key file, and refuses where one is in use. While credentials need
// keys that are missing it refuses too, unless replaceLost is set: then it gives these
// credentials up, and returns how many accounts need new ones.
func (s *Service) CreateKey(ctx context.Context, replaceLost bool) (givenUp int, err error) {
	err = s.Vault.Alone(ctx, func() error {
		keys, err := s.Keys(ctx)
		if err != nil {
			return err
		}
		before := len(s.Vault.Keys())
		if isMissing := func(k KeyUse) bool { return k.IsMissing }; before > 0 && !slices.ContainsFunc(keys, isMissing) {
			return fmt.Errorf("there is a key already, in %s, and nothing needs another. To replace it, run parley key rotate", s.Vault.Where())
		}
		for _, k := range keys {
			if k.IsMissing && !replaceLost {
				return fmt.Errorf("key %s is missing, and credentials need it: %d. Copy its file back; if it is lost for good, run parley key create --replace-lost and set their credentials again", k.ID, k.Values)
			}
		}
		if err := s.Vault.Create(); err != nil {
			return err
		}
		if before == 0 {
			if err := s.tell(ctx, journal.Created, s.primary(), "Credentials are encrypted with it."); err != nil {
				return err
			}
		}
		givenUp, err = s.giveUp(ctx)
		return err
	})
	return givenUp, err
}

// giveUp removes what no key can decrypt.
func (s *Service) giveUp(ctx context.Context) (n int, err error) {
	err = s.rewrite(ctx, func(ctx context.Context, tx *store.Tx) error {
		n = 0
		rows, err := s.stored(ctx, tx.Ent)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if id := vault.KeyID(row.Sealed); id == "" || s.Vault.Has(id) {
				continue
			}
			if err := tx.Ent.ProviderAccount.UpdateOne(row).ClearSealed().Exec(ctx); err != nil {
				return err
			}
			n++
		}
		for _, o := range s.Others {
			more, err := o.GiveUp(ctx, tx)
			if err != nil {
				return err
			}
			n += more
		}
		return nil
	})
	return n, err
}

// AddKey adds a key that encrypts nothing until RotateKey, so that the file can be copied
// to every server before.
func (s *Service) AddKey(ctx context.Context) (id string, err error) {
	err = s.Vault.Alone(ctx, func() error {
		id, err = s.add(ctx)
		return err
	})
	return id, err
}

// add adds a key and tells the audit.
func (s *Service) add(ctx context.Context) (id string, err error) {
	if id, err = s.Vault.Add(); err != nil {
		return "", err
	}
	return id, s.tell(ctx, journal.Created, id, "It encrypts nothing before a rotation.")
}

// tell writes what became of a key to the audit, which names who did it.
func (s *Service) tell(ctx context.Context, action journal.Action, id, detail string) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return entry(action, id, detail).Write(ctx, tx) })
}

func entry(action journal.Action, id, detail string) *journal.Entry {
	return &journal.Entry{Action: action, SubjectType: "CredentialKey", SubjectName: id, Detail: detail}
}

// RotateKey makes the newest key the primary one, adding one if the newest is that
// already, and encrypts everything with it, also what is stored in plain text. Cut off
// between any two steps, it leaves everything readable; calling it again goes on.
// It tells say what it did.
func (s *Service) RotateKey(ctx context.Context, say func(format string, args ...any)) error {
	return s.Vault.Alone(ctx, func() error {
		if _, err := s.Vault.Reread(); err != nil {
			return err
		}
		keys, err := s.Keys(ctx)
		if err != nil {
			return err
		}
		newest, unfinished := newestOf(keys)
		switch {
		case newest.ID == "":
			return errors.New("there is no key yet: run parley key create")
		case newest.IsPrimary && !unfinished:
			if newest.ID, err = s.add(ctx); err != nil {
				return err
			}
			say("Added key %s.", newest.ID)
		}
		if err := s.Vault.Promote(newest.ID); err != nil {
			return err
		}
		say("Key %s encrypts from now on.", newest.ID)
		n, err := s.rewrap(ctx, !newest.IsPrimary || !unfinished)
		if err == nil {
			say("Accounts, actions and connections whose secrets were encrypted with it: %d.", n)
		}
		return err
	})
}

// newestOf is the newest key of the keyset, and whether something is encrypted with
// another, or not at all: then a rotation was cut off, or plain text is still there.
func newestOf(keys []KeyUse) (newest KeyUse, unfinished bool) {
	for _, k := range keys {
		if k.ID != "" && !k.IsMissing {
			newest = k
		}
	}
	for _, k := range keys {
		unfinished = unfinished || k.ID != newest.ID && k.Values > 0 && !k.IsMissing
	}
	return newest, unfinished
}

// rewrap encrypts with the primary key what is encrypted with another or not at all, in
// one write, and tells the audit of a key that has become the primary one. What no key
// can decrypt stays as it is.
func (s *Service) rewrap(ctx context.Context, promoted bool) (n int, err error) {
	err = s.rewrite(ctx, func(ctx context.Context, tx *store.Tx) error {
		n = 0
		rows, err := s.stored(ctx, tx.Ent)
		if err != nil {
			return err
		}
		primary := s.primary()
		if promoted {
			if err := entry(journal.Updated, primary, "It encrypts credentials from now on.").Write(ctx, tx); err != nil {
				return err
			}
		}
		if n, err = s.reseal(ctx, tx, rows, primary); err != nil {
			return err
		}
		for _, o := range s.Others {
			more, err := o.Reseal(ctx, tx)
			if err != nil {
				return err
			}
			n += more
		}
		return nil
	})
	return n, err
}

// reseal encrypts the credentials of accounts with the primary key.
func (s *Service) reseal(ctx context.Context, tx *store.Tx, rows []*ent.ProviderAccount, primary string) (n int, err error) {
	for _, row := range rows {
		if vault.KeyID(row.Sealed) == primary {
			continue
		}
		set, err := credential.Unseal(s.Vault, row)
		if err != nil {
			continue
		}
		if err := s.store(ctx, tx, row, set); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (s *Service) primary() string {
	for _, k := range s.Vault.Keys() {
		if k.Primary {
			return k.ID
		}
	}
	return ""
}

// isNew reports whether a key was added after the primary one.
func (s *Service) isNew(id string) bool {
	keys := s.Vault.Keys()
	at := slices.IndexFunc(keys, func(k vault.Key) bool { return k.ID == id })
	return at > slices.IndexFunc(keys, func(k vault.Key) bool { return k.Primary })
}

// rewrite changes accounts as whoever runs the command.
func (s *Service) rewrite(ctx context.Context, do func(ctx context.Context, tx *store.Tx) error) error {
	return s.Directory.Apply(ctx, directory.Edit{Do: func(ctx context.Context, tx *store.Tx) (bool, error) { return true, do(ctx, tx) }})
}

// RetireKey removes a key from the keyset for good. It refuses while credentials need it,
// and for the primary key.
func (s *Service) RetireKey(ctx context.Context, id string) error {
	return s.Vault.Alone(ctx, func() error {
		if !s.Vault.Has(id) {
			return fmt.Errorf("%q is no key of the keyset: see parley key list", id)
		}
		if id == s.primary() {
			return errors.New("this key encrypts new credentials: run parley key rotate first")
		}
		if s.isNew(id) {
			return errors.New("this key was added for the next rotation: run parley key rotate, which uses it")
		}
		return s.rewrite(ctx, func(ctx context.Context, tx *store.Tx) error { return s.retire(ctx, tx, id) })
	})
}

// retire removes a key inside a write, during which nobody can encrypt with it.
func (s *Service) retire(ctx context.Context, tx *store.Tx, id string) error {
	rows, err := s.stored(ctx, tx.Ent)
	if err != nil {
		return err
	}
	others, err := s.others(ctx, tx.Ent)
	if err != nil {
		return err
	}
	if slices.Contains(others, id) || slices.ContainsFunc(rows, func(row *ent.ProviderAccount) bool { return vault.KeyID(row.Sealed) == id }) {
		return errors.New("credentials still need this key: run parley key rotate first")
	}
	if s.Vault.Has(id) { // this may run again
		if err := s.Vault.Retire(id); err != nil {
			return err
		}
	}
	return entry(journal.Deleted, id, "Nothing needed it.").Write(ctx, tx)
}
