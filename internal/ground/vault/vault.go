// Package vault encrypts what the database must not show to whoever reads its file or a
// backup: the credentials of provider accounts.
//
// Each value has a data key of its own, which the newest key of a keyset encrypts (Tink's
// envelope encryption with AES-256-GCM). The keyset lies outside the database, in a file
// or in the environment. A value is bound to its place, so that it cannot be moved to
// another row. Its first bytes name the key that it needs.
package vault

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"parley/internal/ground/fault"
)

// Every is how often Watch reads the file again.
const Every = 30 * time.Second

// Options say where the keyset is; at most one of Key and File is given.
type Options struct {
	Key  string // base64 of a keyset, as an environment variable holds it
	File string // read again when it changes
	// Make creates the file when the first value is encrypted; for development.
	Make bool
}

// Vault encrypts and decrypts. It is safe for concurrent use. Without a keyset, also
// because its file was lost, it can do neither.
type Vault struct {
	o    Options
	mu   sync.Mutex
	keys *keyset.Handle // nil for none
}

// Key is a key of the keyset.
type Key struct {
	ID      string // eight hexadecimal digits
	Primary bool   // encrypts new values
}

// Errors. ErrNoKey is shown to administrators.
var (
	ErrNoKey   = fault.New(fault.Conflict, "There is no key to encrypt credentials with. Ask an operator to run parley key create, or to set PARLEY_KEY_FILE or PARLEY_KEY.")
	ErrLocked  = errors.New("the key that it is encrypted with is missing")
	ErrMoved   = errors.New("it was changed, or copied from another place")
	errKeyset  = errors.New("it is not a keyset that parley key create made")
	errBothSet = errors.New("both PARLEY_KEY and PARLEY_KEY_FILE are set: give one of them")
)

// Open reads the keyset. A file that is missing is none yet.
func Open(o Options) (*Vault, error) {
	v := &Vault{o: o}
	if o.Key != "" && o.File != "" {
		return nil, errBothSet
	}
	if o.Key == "" {
		_, err := v.Reread()
		return v, err
	}
	text, err := base64.StdEncoding.DecodeString(o.Key)
	if err != nil {
		return nil, fmt.Errorf("PARLEY_KEY: %w", errKeyset)
	}
	if v.keys, err = decode(text); err != nil {
		return nil, fmt.Errorf("PARLEY_KEY: %w", err)
	}
	return v, nil
}

// Where names where the keyset is, for people.
func (v *Vault) Where() string {
	switch {
	case v.o.Key != "":
		return "PARLEY_KEY"
	case v.o.File != "":
		return v.o.File
	}
	return "no key file (PARLEY_KEY_FILE)"
}

// Reread reads the file again and reports whether its keys differ from those in use. A
// file that is gone or cannot be read leaves these in use.
func (v *Vault) Reread() (changed bool, err error) {
	if v.o.File == "" {
		return false, nil
	}
	keys, err := readFile(v.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	changed = v.keys == nil || v.keys.String() != keys.String()
	v.keys = keys
	return changed, nil
}

// Watch reads the file again from time to time until ctx ends, and calls changed when
// its keys differ.
func (v *Vault) Watch(ctx context.Context, changed func(context.Context)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(Every):
		}
		differ, err := v.Reread()
		if err != nil {
			slog.ErrorContext(ctx, "cannot read the key file; the keys read before stay in use", "error", err)
		}
		if differ {
			changed(ctx)
		}
	}
}

// Keys are the keys in use, oldest first.
func (v *Vault) Keys() []Key { return keysOf(v.now()) }

func (v *Vault) now() *keyset.Handle {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys
}

// IsPrimary reports whether a key is the one that encrypts.
func (v *Vault) IsPrimary(id string) bool {
	return slices.Contains(v.Keys(), Key{ID: id, Primary: true})
}

// Has reports whether a key is in use.
func (v *Vault) Has(id string) bool { return has(v.Keys(), id) }

// Seal encrypts a value for a place, such as a table, a column and a row, with the
// primary key as the file has it now. Call it inside the write that stores the value:
// a key may be retired between two writes, not during one.
func (v *Vault) Seal(value []byte, place string) ([]byte, error) {
	if _, err := v.Reread(); err != nil {
		return nil, err
	}
	if v.now() == nil && v.o.Make && v.o.File != "" {
		if err := v.Create(); err != nil {
			return nil, err
		}
	}
	keys := v.now()
	if keys == nil {
		return nil, ErrNoKey
	}
	envelope, err := envelopeOf(keys)
	if err != nil {
		return nil, err
	}
	return envelope.Encrypt(value, []byte(place))
}

// Unseal decrypts what Seal returned for the place: ErrLocked where the key is missing,
// ErrMoved where it is not what was sealed there.
func (v *Vault) Unseal(sealed []byte, place string) ([]byte, error) {
	if !v.Has(KeyID(sealed)) {
		if _, err := v.Reread(); err != nil || !v.Has(KeyID(sealed)) {
			return nil, errors.Join(ErrLocked, err)
		}
	}
	envelope, err := envelopeOf(v.now())
	if err != nil {
		return nil, err
	}
	value, err := envelope.Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, ErrMoved
	}
	return value, nil
}

// Fits refuses a keyset that has none of the keys that values need: it belongs to
// another database. Without a keyset all is well: the values are locked.
func (v *Vault) Fits(needed []string) error {
	if v.now() == nil || len(needed) == 0 {
		return nil
	}
	for _, id := range needed {
		if v.Has(id) {
			return nil
		}
	}
	return fmt.Errorf("the key in %s belongs to another database: stored credentials need key %s. Give the right key, or run parley key create --replace-lost if it is lost for good",
		v.Where(), needed[0])
}

// KeyID names the key that a sealed value needs: "" for what is none.
func KeyID(sealed []byte) string {
	// Four bytes of length, then Tink's prefix of the encrypted data key: 1 and the id.
	if len(sealed) < 9 || sealed[4] != 1 {
		return ""
	}
	return idOf(binary.BigEndian.Uint32(sealed[5:9]))
}

func idOf(id uint32) string { return fmt.Sprintf("%08x", id) }

func envelopeOf(keys *keyset.Handle) (*aead.KMSEnvelopeAEAD, error) {
	wrapping, err := aead.New(keys)
	if err != nil {
		return nil, err
	}
	return aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), wrapping), nil
}

func keysOf(handle *keyset.Handle) (keys []Key) {
	if handle == nil {
		return nil
	}
	info := handle.KeysetInfo()
	for _, k := range info.GetKeyInfo() {
		keys = append(keys, Key{idOf(k.GetKeyId()), k.GetKeyId() == info.GetPrimaryKeyId()})
	}
	return keys
}

func has(keys []Key, id string) bool {
	for _, k := range keys {
		if k.ID == id {
			return true
		}
	}
	return false
}

func readFile(path string) (*keyset.Handle, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}
