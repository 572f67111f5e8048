package access

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"parley/ent/signingkey"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// KeyState is what a signing key is used for.
type KeyState string

// The states.
const (
	Signing   KeyState = "SIGNING"   // it signs new tokens, and verifies
	Verifying KeyState = "VERIFYING" // tokens that it signed are still good
	Retired   KeyState = "RETIRED"   // tokens that it signed are refused
)

// Key is a signing key as operators see it.
type Key struct {
	ID        string
	State     KeyState
	CreatedAt clock.Time // zero for the first, which is as old as the database
	RetiredAt clock.Time // zero for never
}

// mostKeys is how many signing keys may be in force.
const mostKeys = 20

// Keys are the signing keys, the oldest first.
func (s *Service) Keys() []Key {
	keys := []Key{{ID: directory.FirstKey, State: Verifying}}
	for _, k := range s.Directory.SigningKeys() {
		key := Key{k.ID, Verifying, k.CreatedAt, k.RetiredAt}
		if k.RetiredAt != 0 {
			key.State = Retired
		}
		if k.ID == directory.FirstKey {
			keys[0] = Key{ID: k.ID, State: key.State, RetiredAt: k.RetiredAt}
			continue
		}
		keys = append(keys, key)
	}
	for _, k := range slices.Backward(keys) {
		if k.State == Verifying {
			keys[slices.Index(keys, k)].State = Signing
			break
		}
	}
	return keys
}

// Rotate makes a new key, which signs from now on. Tokens of the former keys stay good.
func (s *Service) Rotate(ctx context.Context) error {
	inForce := slices.DeleteFunc(s.Keys(), func(k Key) bool { return k.State == Retired })
	if len(inForce) >= mostKeys {
		return fault.New(fault.LimitExceeded, "There are %d signing keys in force, which is the limit. Retire the oldest: parley signing retire %s", len(inForce), inForce[0].ID)
	}
	value := make([]byte, 32)
	_, _ = rand.Read(value) // never fails
	kid := strings.ToLower(rand.Text()[:12])
	return s.apply(ctx, func(ctx context.Context, tx *store.Tx) (bool, error) {
		if err := tx.Ent.SigningKey.Create().SetKid(kid).SetValue(value).SetCreatedAt(tx.Now).Exec(ctx); err != nil {
			return false, err
		}
		e := journal.Entry{Action: journal.Created, SubjectType: "SigningKey", SubjectName: kid}
		return true, e.Write(ctx, tx)
	})
}

// Retire refuses every token that a key signed, at once, and erases the key. The one that
// signs cannot be retired.
func (s *Service) Retire(ctx context.Context, id string) error {
	keys := s.Keys()
	at := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	switch {
	case at < 0:
		return fault.New(fault.NotFound, "There is no signing key %q. See parley signing list.", id)
	case keys[at].State == Signing:
		return fault.New(fault.Conflict, "The key %s signs new tokens. Replace it first: parley signing rotate", id)
	case keys[at].State == Retired:
		return nil
	}
	return s.apply(ctx, func(ctx context.Context, tx *store.Tx) (bool, error) {
		if err := retire(ctx, tx, id); err != nil {
			return false, err
		}
		e := journal.Entry{Action: journal.Revoked, SubjectType: "SigningKey", SubjectName: id}
		return true, e.Write(ctx, tx)
	})
}

func retire(ctx context.Context, tx *store.Tx, id string) error {
	if id == directory.FirstKey {
		return tx.Ent.SigningKey.Create().SetKid(id).SetRetiredAt(tx.Now).SetCreatedAt(tx.Now).Exec(ctx)
	}
	return tx.Ent.SigningKey.Update().Where(signingkey.Kid(id)).ClearValue().SetRetiredAt(tx.Now).Exec(ctx)
}
