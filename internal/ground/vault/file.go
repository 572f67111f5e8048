package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"parley/internal/ground/store/sqlite"
)

// errNotAFile refuses to change a keyset that a command cannot write.
var errNotAFile = errors.New("the key is in PARLEY_KEY, which a command cannot change: store the decoded keyset in a file and set PARLEY_KEY_FILE to it")

// Create makes the file, with one key, unless one is there.
func (v *Vault) Create() error {
	if err := v.writable(); err != nil {
		return err
	}
	keys, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	partial, err := writePartial(v.o.File, keys)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(partial) }()
	if err := os.Link(partial, v.o.File); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncFolder(v.o.File); err != nil {
		return err
	}
	_, err = v.Reread()
	return err
}

// Alone runs do while no other command changes the file.
func (v *Vault) Alone(ctx context.Context, do func() error) error {
	if err := v.writable(); err != nil {
		return err
	}
	release, _, err := sqlite.Hold(ctx, v.o.File+".lock", time.Minute)
	if err != nil {
		return fmt.Errorf("wait for another command that changes %s: %w", v.o.File, err)
	}
	defer release()
	return do()
}

// Add adds a key that encrypts nothing yet and returns its id. Call it inside Alone.
func (v *Vault) Add() (id string, err error) {
	err = v.change(func(m *keyset.Manager) error {
		added, err := m.Add(aead.AES256GCMKeyTemplate())
		id = idOf(added)
		return err
	})
	return id, err
}

// Promote makes a key the primary one. Call it inside Alone.
func (v *Vault) Promote(id string) error {
	return v.change(func(m *keyset.Manager) error { return withID(id, m.SetPrimary) })
}

// Retire removes a key other than the primary one for good. Call it inside Alone, in the
// write that found that no value needs the key.
func (v *Vault) Retire(id string) error {
	return v.change(func(m *keyset.Manager) error { return withID(id, m.Delete) })
}

func withID(id string, do func(uint32) error) error {
	n, err := strconv.ParseUint(id, 16, 32)
	if err != nil {
		return fmt.Errorf("%q is no key: see parley key list", id)
	}
	return do(uint32(n))
}

// change replaces the file as a whole: whoever reads it, or is cut off, has the old one
// or the new one.
func (v *Vault) change(do func(*keyset.Manager) error) error {
	if err := v.writable(); err != nil {
		return err
	}
	keys, err := readFile(v.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no key file %s: run parley key create, or copy the file back", v.o.File)
	}
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(keys)
	if err := do(m); err != nil {
		return err
	}
	if keys, err = m.Handle(); err != nil {
		return err
	}
	partial, err := writePartial(v.o.File, keys)
	if err != nil {
		return err
	}
	if err := os.Rename(partial, v.o.File); err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	if err := syncFolder(v.o.File); err != nil {
		return err
	}
	_, err = v.Reread()
	return err
}

func (v *Vault) writable() error {
	switch {
	case v.o.Key != "":
		return errNotAFile
	case v.o.File == "":
		return errors.New("say where the key file is: set --key-file or PARLEY_KEY_FILE")
	}
	return nil
}

func decode(text []byte) (*keyset.Handle, error) {
	keys, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errKeyset // its own words might quote the key
	}
	if _, err := aead.New(keys); err != nil {
		return nil, errKeyset
	}
	return keys, nil
}

// writePartial writes keys to a file beside path that only its owner can read.
func writePartial(path string, keys *keyset.Handle) (partial string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-") // mode 0600
	if err != nil {
		return "", err
	}
	err = insecurecleartextkeyset.Write(keys, keyset.NewJSONWriter(f))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncFolder makes a rename survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
